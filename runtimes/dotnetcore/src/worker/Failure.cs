using System;
using System.Collections.Generic;
using System.Reflection;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>What went wrong, as `error` and `failed` frames carry it: bounded, and without our own frames of the stack.</summary>
	internal static class Failure
	{
		private const int MaxMessage = 4096; // characters
		private const int MaxStack = 16 * 1024;

		internal static Frame Error(Frame frame, Call call, Exception error)
		{
			error = Inner(error);
			frame.Latin("{\"type\":\"error\",\"id\":").Number(call.Id);
			if (error is Fault fault)
			{
				frame.Latin(",\"code\":").Quoted(fault.Code).Latin(",\"message\":").Quoted(Shortened(fault.Message, MaxMessage));
			}
			else if (call.IsCancelled && (error is OperationCanceledException || error is System.Threading.ThreadInterruptedException))
			{
				frame.Latin(",\"code\":\"CANCELLED\",\"message\":").Quoted(MessageOf(error));
			}
			else
			{
				frame.Latin(",\"message\":").Quoted(MessageOf(error)).Latin(",\"stack\":").Quoted(StackOf(error));
			}
			return frame.Latin("}\n");
		}

		/// <param name="handlers">the names there are, with HANDLER_NOT_FOUND</param>
		internal static Frame Failed(string code, string message, string stack = null, IEnumerable<string> handlers = null)
		{
			var frame = new Frame().Latin("{\"type\":\"failed\",\"code\":").Quoted(code);
			frame.Latin(",\"message\":").Quoted(Shortened(message, MaxMessage));
			if (stack != null) frame.Latin(",\"stack\":").Quoted(stack);
			if (handlers != null)
			{
				frame.Latin(",\"handlers\":[");
				var separator = "";
				foreach (var name in handlers)
				{
					frame.Latin(separator).Quoted(name);
					separator = ",";
				}
				frame.Latin("]");
			}
			return frame.Latin("}\n");
		}

		/// <summary>The exception that the function threw, without what reflection and tasks wrap around it.</summary>
		internal static Exception Inner(Exception error)
		{
			while (error.InnerException != null && (error is TargetInvocationException || error is TypeInitializationException
				|| error is AggregateException many && many.InnerExceptions.Count == 1))
			{
				error = error.InnerException;
			}
			return error;
		}

		/// <summary>`System.InvalidOperationException: no such user`</summary>
		internal static string MessageOf(Exception error)
		{
			string message;
			try
			{
				message = error.Message;
			}
			catch (Exception second) // a function's own exception may do anything
			{
				message = "(its message cannot be had: " + second.GetType() + ")";
			}
			return Shortened(error.GetType() + ": " + message, MaxMessage);
		}

		internal static string StackOf(Exception error)
		{
			string text;
			try
			{
				text = error.ToString();
			}
			catch (Exception)
			{
				text = MessageOf(error) + "\n" + error.StackTrace;
			}
			var lines = new StringBuilder();
			foreach (var line in text.Split('\n'))
			{
				if (line.Length == 0 || IsOurs(line)) continue;
				lines.Append(lines.Length > 0 ? "\n" : "").Append(line.TrimEnd('\r'));
				if (lines.Length > MaxStack) break;
			}
			return Shortened(lines.ToString(), MaxStack);
		}

		private static bool IsOurs(string line) => line.StartsWith("   at Kubeless.Worker.", StringComparison.Ordinal)
			|| line.StartsWith("--- End of stack trace", StringComparison.Ordinal);

		/// <summary>Does what may throw, where that is nobody's fault but the function's.</summary>
		internal static void Quietly(Action action)
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

		private static string Shortened(string text, int most)
		{
			if (text.Length <= most) return text;
			return text.Substring(0, char.IsHighSurrogate(text[most - 1]) ? most - 1 : most) + "…";
		}
	}
}
