using System;
using System.IO;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>Sends what the function prints as <c>log</c> frames with the id of its call (PROTOCOL
	/// chapter 7).</summary>
	internal sealed class Output : TextWriter
	{
		/// <summary>Text without a line break is sent at this length, in characters.</summary>
		private const int MaxLineLength = 1 << 20;
		private const int StandardError = 2;

		private static Output stdout;
		private static Output stderr;

		private readonly Wire wire;
		private readonly string stream;
		/// <summary>The partial line of output outside of all calls.</summary>
		private readonly StringBuilder outside = new StringBuilder();

		/// <summary>Output of a call after its last line break.</summary>
		internal sealed class PartialLines
		{
			internal readonly StringBuilder Stdout = new StringBuilder();
			internal readonly StringBuilder Stderr = new StringBuilder();
		}

		private Output(Wire wire, string stream)
		{
			this.wire = wire;
			this.stream = stream;
		}

		/// <summary>Makes Console write to the wire. Descriptors 1 and 2 stay for native code and child
		/// processes.</summary>
		internal static void Redirect(Wire wire)
		{
			Console.SetOut(stdout = new Output(wire, "stdout"));
			Console.SetError(stderr = new Output(wire, "stderr"));
		}

		/// <summary>Writes to standard error without the wire.</summary>
		internal static void Raw(string text)
		{
			var bytes = Utf8.Bytes(text);
			Libc.WriteAll(StandardError, bytes, 0, bytes.Length);
		}

		/// <summary>Sends the partial lines of a call that ends.</summary>
		internal static void EndLines(Call call)
		{
			if (call.PartialLines == null) return;
			stdout.EndLine(call, call.PartialLines.Stdout);
			stderr.EndLine(call, call.PartialLines.Stderr);
		}

		/// <summary>Sends the partial lines of output outside of all calls.</summary>
		internal static void EndLines()
		{
			stdout.EndLine(null, stdout.outside);
			stderr.EndLine(null, stderr.outside);
		}

		public override Encoding Encoding => Encoding.UTF8;

		public override void Write(char value) => Add(stackalloc char[] { value });

		public override void Write(string value) => Add(value.AsSpan());

		public override void Write(char[] buffer, int index, int count) => Add(buffer.AsSpan(index, count));

		public override void Write(ReadOnlySpan<char> buffer) => Add(buffer);

		public override void WriteLine(string value) => Add((value + "\n").AsSpan());

		private void Add(ReadOnlySpan<char> text)
		{
			var call = Call.Current;
			if (call != null && call.IsEnded) call = null;
			var line = outside;
			if (call != null)
			{
				lock (call) call.PartialLines ??= new PartialLines();
				line = this == stdout ? call.PartialLines.Stdout : call.PartialLines.Stderr;
			}
			lock (line)
			{
				var cut = text.LastIndexOf('\n') + 1;
				if (cut > 0)
				{
					line.Append(text.Slice(0, cut));
					Emit(call, line);
				}
				line.Append(text.Slice(cut));
				if (line.Length > MaxLineLength) Emit(call, line);
			}
		}

		private void EndLine(Call call, StringBuilder line)
		{
			lock (line)
			{
				if (line.Length > 0) Emit(call, line);
			}
		}

		private void Emit(Call call, StringBuilder text)
		{
			var body = Utf8.Bytes(text.ToString());
			text.Clear();
			var frame = new Frame().Latin("{\"type\":\"log\",\"stream\":\"").Latin(stream).Latin("\"");
			if (call != null) frame.Latin(",\"id\":").Number(call.Id);
			frame.Latin(",\"body\":").Number(body.Length).Latin("}\n").Bytes(body, 0, body.Length);
			Runner.Uninterrupted(Send, frame);
		}

		/// <summary>The reader's output is sent with its answers, or at the monitor's next
		/// tick.</summary>
		private void Send(object frame)
		{
			wire.Post((Frame)frame);
			if (Runner.Current == null || !Runner.Current.IsReader) wire.Flush();
		}
	}
}
