using System;
using System.Reflection;
using System.Text;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>Makes <c>error</c> and <c>failed</c> frames of exceptions.</summary>
	internal static class Errors
	{
		private const int MaxMessageLength = 4096; // characters
		private const int MaxStackLength = 16 * 1024;

		/// <summary>Appends the <c>error</c> frame that ends a call.</summary>
		internal static Frame Error(Frame frame, Call call, Exception error)
		{
			error = Unwrap(error);
			frame.Latin("{\"type\":\"error\",\"id\":").Number(call.Id);
			if (error is CallError own)
			{
				frame.Latin(",\"code\":").Quoted(own.Code).Latin(",\"message\":").Quoted(Cut(own.Message, MaxMessageLength));
			}
			else if (call.IsCancelled && (error is OperationCanceledException || error is ThreadInterruptedException))
			{
				frame.Latin(",\"code\":\"CANCELLED\",\"message\":").Quoted(MessageOf(error));
			}
			else
			{
				frame.Latin(",\"message\":").Quoted(MessageOf(error)).Latin(",\"stack\":").Quoted(StackOf(error));
			}
			return frame.Latin("}\n");
		}

		/// <summary>Returns the <c>failed</c> frame of a start.</summary>
		internal static Frame Failed(LoadError error)
		{
			var frame = new Frame().Latin("{\"type\":\"failed\",\"code\":").Quoted(error.Code);
			frame.Latin(",\"message\":").Quoted(Cut(error.Message, MaxMessageLength));
			if (error.Stack != null) frame.Latin(",\"stack\":").Quoted(error.Stack);
			if (error.Handlers != null)
			{
				frame.Latin(",\"handlers\":[");
				for (var i = 0; i < error.Handlers.Count; i++) frame.Latin(i == 0 ? "" : ",").Quoted(error.Handlers[i]);
				frame.Latin("]");
			}
			return frame.Latin("}\n");
		}

		/// <summary>
		/// Returns the exception that the function threw, without the wrappers that reflection, static
		/// constructors and tasks add.
		/// </summary>
		internal static Exception Unwrap(Exception error)
		{
			while (error.InnerException != null && (error is TargetInvocationException || error is TypeInitializationException
				|| error is AggregateException many && many.InnerExceptions.Count == 1))
			{
				error = error.InnerException;
			}
			return error;
		}

		/// <summary>Returns, for example, <c>System.InvalidOperationException: no such
		/// user</c>.</summary>
		internal static string MessageOf(Exception error)
		{
			string message;
			try
			{
				message = error.Message;
			}
			catch (Exception second) // Message can be overridden by the function
			{
				message = "(its Message property threw " + second.GetType() + ")";
			}
			return Cut(error.GetType() + ": " + message, MaxMessageLength);
		}

		/// <summary>Returns the message and the stack, without the stack's frames of the
		/// worker.</summary>
		internal static string StackOf(Exception error)
		{
			string text;
			try
			{
				text = error.ToString();
			}
			catch (Exception) // ToString can be overridden by the function
			{
				text = MessageOf(error) + "\n" + error.StackTrace;
			}
			var lines = new StringBuilder();
			foreach (var line in text.Split('\n'))
			{
				if (line.Length == 0 || IsOfWorker(line)) continue;
				lines.Append(lines.Length > 0 ? "\n" : "").Append(line.TrimEnd('\r'));
				if (lines.Length > MaxStackLength) break;
			}
			return Cut(lines.ToString(), MaxStackLength);
		}

		private static bool IsOfWorker(string line) => line.StartsWith("   at Kubeless.Worker.", StringComparison.Ordinal)
			|| line.StartsWith("--- End of stack trace", StringComparison.Ordinal);

		/// <summary>Logs what an action of the function throws outside of its handler.</summary>
		internal static void LogExceptions(Action action)
		{
			try
			{
				action();
			}
			catch (Exception error)
			{
				Console.Error.WriteLine(error);
			}
		}

		private static string Cut(string text, int maxLength)
		{
			if (text.Length <= maxLength) return text;
			return text.Substring(0, char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength) + "…";
		}
	}
}
