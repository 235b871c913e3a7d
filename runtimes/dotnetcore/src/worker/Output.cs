using System;
using System.IO;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>What a function prints, as `log` frames that name the call (PROTOCOL.md, chapter 7).</summary>
	internal sealed class Output : TextWriter
	{
		/// <summary>Characters; what has no line break by then goes as it is.</summary>
		private const int MaxLine = 1 << 20;
		private const int StandardError = 2; // the descriptor

		private static Output stdout;
		private static Output stderr;

		private readonly Wire wire;
		private readonly string name;
		/// <summary>Of what is printed outside of all calls.</summary>
		private readonly StringBuilder common = new StringBuilder();

		/// <summary>Lines a call has begun and not ended.</summary>
		internal sealed class Beginnings
		{
			internal readonly StringBuilder Stdout = new StringBuilder();
			internal readonly StringBuilder Stderr = new StringBuilder();
		}

		private Output(Wire wire, string name)
		{
			this.wire = wire;
			this.name = name;
		}

		/// <summary>From now on Console writes to the wire; descriptors 1 and 2 stay for native code and child processes.</summary>
		internal static void Redirect(Wire wire)
		{
			Console.SetOut(stdout = new Output(wire, "stdout"));
			Console.SetError(stderr = new Output(wire, "stderr"));
		}

		/// <summary>For words of our own where the wire cannot be trusted.</summary>
		internal static void Raw(string text)
		{
			var bytes = Utf8.Bytes(text);
			Libc.WriteAll(StandardError, bytes, 0, bytes.Length);
		}

		/// <summary>The call is over: what it left without a line break is a line too.</summary>
		internal static void EndLines(Call call)
		{
			if (call.Unfinished == null) return;
			stdout.EndLine(call, call.Unfinished.Stdout);
			stderr.EndLine(call, call.Unfinished.Stderr);
		}

		internal static void EndLines()
		{
			stdout.EndLine(null, stdout.common);
			stderr.EndLine(null, stderr.common);
		}

		public override Encoding Encoding => Encoding.UTF8;

		public override void Write(char value) => Add(stackalloc char[] { value });

		public override void Write(string value) => Add(value.AsSpan());

		public override void Write(char[] buffer, int index, int count) => Add(buffer.AsSpan(index, count));

		public override void Write(ReadOnlySpan<char> buffer) => Add(buffer);

		public override void WriteLine(string value) => Add((value + "\n").AsSpan());

		/// <summary>Whole lines go as they are. Half a line waits for its end, or for the call's.</summary>
		private void Add(ReadOnlySpan<char> text)
		{
			var call = Call.Current;
			var beginning = common;
			if (call != null)
			{
				if (call.IsEnded)
				{
					call = null;
				}
				else
				{
					lock (call) call.Unfinished ??= new Beginnings();
					beginning = name == "stdout" ? call.Unfinished.Stdout : call.Unfinished.Stderr;
				}
			}
			lock (beginning)
			{
				var cut = text.LastIndexOf('\n') + 1;
				if (cut > 0)
				{
					beginning.Append(text.Slice(0, cut));
					Emit(call, beginning);
				}
				beginning.Append(text.Slice(cut));
				if (beginning.Length > MaxLine) Emit(call, beginning);
			}
		}

		private void EndLine(Call call, StringBuilder beginning)
		{
			lock (beginning)
			{
				if (beginning.Length > 0) Emit(call, beginning);
			}
		}

		private void Emit(Call call, StringBuilder text)
		{
			var body = Utf8.Bytes(text.ToString());
			text.Clear();
			var frame = new Frame().Latin("{\"type\":\"log\",\"stream\":\"").Latin(name).Latin("\"");
			if (call != null) frame.Latin(",\"id\":").Number(call.Id);
			frame.Latin(",\"body\":").Number(body.Length).Latin("}\n").Bytes(body, 0, body.Length);
			Runner.Undisturbed(Send, frame);
		}

		/// <summary>The reader's lines go with its answers, or at the watch's next look; others have nobody to wait for.</summary>
		private void Send(object frame)
		{
			wire.Post((Frame)frame);
			if (Runner.Current == null || !Runner.Current.IsReader) wire.Flush();
		}
	}
}
