using System;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>Reads and writes frames on descriptor 3 (PROTOCOL chapters 1 and 2).</summary>
	internal sealed class Wire
	{
		private const int Descriptor = 3;
		private const int ReadBytes = 1 << 16; // about a hundred calls
		private const int MaxLineBytes = 1 << 20; // PROTOCOL 2.3
		/// <summary>Unsent bytes above which a sender of chunks waits.</summary>
		private const int MaxPendingBytes = 1 << 22;
		private const int MaxQuotedBytes = 200;

		/// <summary>Guards `pending`, `spare` and `writing`.</summary>
		private readonly object gate = new object();
		private Frame pending = new Frame();
		private Frame spare = new Frame();
		private bool writing;

		// The bytes that were read. Used by the reader alone.
		private byte[] buffer = new byte[ReadBytes];
		private int start;
		private int end;
		/// <summary>A frame whose line is complete, but not its head and body.</summary>
		private Message unfinished;
		/// <summary>Bytes of its head and body that have arrived.</summary>
		private int filled;

		internal Wire()
		{
			// No SafeHandle: the descriptor is not closed before the process ends.
			if (Libc.KeepFromChildren(Descriptor)) return;
			Output.Raw("File descriptor 3 is not open. This program is started by kubeless-loader.\n");
			Libc.Exit(70);
		}

		// ---- writing

		/// <summary>Adds a frame to what <see cref="Flush"/> sends next.</summary>
		internal void Post(Frame frame)
		{
			lock (gate) pending.Bytes(frame);
		}

		/// <summary>Sends what is pending. If another thread is sending, that thread sends it
		/// too.</summary>
		internal void Flush()
		{
			while (true)
			{
				Frame sent;
				lock (gate)
				{
					if (writing || pending.Length == 0) return;
					writing = true;
					sent = pending;
					pending = spare;
				}
				if (!Libc.WriteAll(Descriptor, sent.Content, 0, sent.Length)) Libc.Exit(0); // the loader is gone
				lock (gate)
				{
					spare = sent.Clear();
					writing = false;
					Monitor.PulseAll(gate);
				}
			}
		}

		internal void Send(Frame frame)
		{
			Post(frame);
			Flush();
		}

		/// <summary>Sends a part of a long answer. Waits while too much is pending.</summary>
		internal void SendChunk(Frame frame)
		{
			lock (gate)
			{
				while (writing && pending.Length > MaxPendingBytes) Monitor.Wait(gate);
				pending.Bytes(frame);
			}
			Flush();
		}

		/// <summary>Returns when everything is sent.</summary>
		internal void Drain()
		{
			Flush();
			lock (gate)
			{
				while (writing) Monitor.Wait(gate);
			}
		}

		// ---- reading

		/// <summary>Returns the next complete frame of what was read; null if there is none.</summary>
		internal Message Next() => unfinished == null && !ReadLine() ? null : ReadBlocks();

		/// <summary>Waits for bytes, and reads them.</summary>
		internal void Fill()
		{
			if (start == end)
			{
				start = end = 0;
			}
			else if (end == buffer.Length)
			{
				if (start == 0 && end > MaxLineBytes) ExitBroken("a line is longer than 1 MiB", default);
				var target = start == 0 ? new byte[end * 2] : buffer;
				Buffer.BlockCopy(buffer, start, target, 0, end - start);
				buffer = target;
				end -= start;
				start = 0;
			}
			end += Read(buffer, end, Math.Min(ReadBytes, buffer.Length - end));
		}

		private bool ReadLine()
		{
			var length = Array.IndexOf(buffer, (byte)'\n', start, end - start) - start;
			if (length < 0) return false;
			var line = buffer.AsSpan(start, length);
			try
			{
				unfinished = MessageReader.Read(line);
			}
			catch (Exception error) when (error is JsonException || error is InvalidOperationException)
			{
				ExitBroken(error.Message, line);
			}
			unfinished.Head = unfinished.HeadLength == 0 ? Array.Empty<byte>() : new byte[unfinished.HeadLength];
			if (unfinished.BodyLength != Message.Absent) unfinished.Body = new byte[unfinished.BodyLength];
			filled = 0;
			start += length + 1;
			if (start == end && buffer.Length > ReadBytes)
			{
				buffer = new byte[ReadBytes];
				start = end = 0;
			}
			return true;
		}

		private Message ReadBlocks()
		{
			var message = unfinished;
			var head = message.HeadLength;
			var total = head + Math.Max(0, message.BodyLength);
			while (filled < total)
			{
				var inHead = filled < head;
				var target = inHead ? message.Head : message.Body;
				var at = inHead ? filled : filled - head;
				var missing = target.Length - at;
				if (start < end)
				{
					var count = Math.Min(end - start, missing);
					Buffer.BlockCopy(buffer, start, target, at, count);
					start += count;
					filled += count;
				}
				else if (missing >= ReadBytes)
				{
					filled += Read(target, at, missing); // without a copy
				}
				else
				{
					return null;
				}
			}
			unfinished = null;
			message.Open();
			return message;
		}

		private static int Read(byte[] target, int from, int count)
		{
			var got = Libc.Read(Descriptor, target, from, count);
			if (got <= 0) Libc.Exit(0); // PROTOCOL 1.3
			return got;
		}

		/// <summary>Ends the process (PROTOCOL 2.7).</summary>
		private static void ExitBroken(string reason, ReadOnlySpan<byte> line)
		{
			var quoted = Encoding.ASCII.GetString(line.Slice(0, Math.Min(line.Length, MaxQuotedBytes)).ToArray());
			Output.Raw("The loader sent a broken frame: " + reason + ": " + quoted + "\n");
			Libc.Exit(70);
		}
	}
}
