using System;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>The wire: frames in, frames out of one socket (PROTOCOL.md, chapters 1 and 2).</summary>
	internal sealed class Wire
	{
		private const int Descriptor = 3;
		/// <summary>Bytes: a hundred calls.</summary>
		private const int ReadSize = 1 << 16;
		private const int MaxLine = 1 << 20; // bytes, PROTOCOL 2.3
		/// <summary>Bytes that may wait for the loader before who makes more has to wait too.</summary>
		private const int MaxPending = 1 << 22;

		/// <summary>Guards what is pending, and who writes it.</summary>
		private readonly object gate = new object();
		private Frame pending = new Frame();
		private Frame spare = new Frame();
		private bool writing;

		// What was read; only the thread that reads comes here.
		private byte[] buffer = new byte[ReadSize];
		private int start;
		private int end;
		/// <summary>A frame whose line was read and whose head and body are still coming.</summary>
		private Call unfinished;
		private int filled;

		internal Wire()
		{
			// It stays where it is: .NET code has no way to name it, but for code that does as this does.
			if (Libc.KeepFromChildren(Descriptor)) return;
			Output.Raw("Descriptor 3 is not open: kubeless-loader starts this worker, a person does not.\n");
			Libc.Exit(70);
		}

		// ---- out

		/// <summary>Takes a frame along with the next that are sent.</summary>
		internal void Post(Frame frame)
		{
			lock (gate) pending.Bytes(frame);
		}

		/// <summary>Sends what is pending, or leaves it to the thread that is sending.</summary>
		internal void Flush()
		{
			while (true)
			{
				Frame mine;
				lock (gate)
				{
					if (writing || pending.Length == 0) return;
					writing = true;
					mine = pending;
					pending = spare;
				}
				// If the loader is gone there is nobody to tell.
				if (!Libc.WriteAll(Descriptor, mine.Content, 0, mine.Length)) Libc.Exit(0);
				lock (gate)
				{
					spare = mine.Clear();
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

		/// <summary>Sends a piece of a long answer, and waits where the loader is behind.</summary>
		internal void SendPiece(Frame frame)
		{
			lock (gate)
			{
				while (writing && pending.Length > MaxPending) Monitor.Wait(gate);
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

		// ---- in

		/// <summary>The next frame that is whole; null where there is none among the bytes that came.</summary>
		internal Call Next() => unfinished == null && !ReadLine() ? null : ReadBlocks();

		/// <summary>Waits until something has come.</summary>
		internal void Fill()
		{
			if (start == end)
			{
				start = end = 0;
			}
			else if (end == buffer.Length)
			{
				if (start == 0 && end > MaxLine) Broken("a line over 1 MiB", buffer.AsSpan(0, 0));
				var target = start == 0 ? new byte[end * 2] : buffer;
				Buffer.BlockCopy(buffer, start, target, 0, end - start);
				buffer = target;
				end -= start;
				start = 0;
			}
			end += Read(buffer, end, Math.Min(ReadSize, buffer.Length - end));
		}

		private bool ReadLine()
		{
			var length = Array.IndexOf(buffer, (byte)'\n', start, end - start) - start;
			if (length < 0) return false;
			var text = buffer.AsSpan(start, length);
			try
			{
				unfinished = Line.Read(text);
			}
			catch (Exception error) when (error is JsonException || error is InvalidOperationException)
			{
				Broken(error.Message, text);
			}
			unfinished.Head = unfinished.HeadLength == 0 ? Array.Empty<byte>() : new byte[unfinished.HeadLength];
			if (unfinished.BodyLength != Call.NoBody) unfinished.Body = new byte[unfinished.BodyLength];
			filled = 0;
			start += length + 1;
			if (start == end && buffer.Length > ReadSize)
			{
				buffer = new byte[ReadSize];
				start = end = 0;
			}
			return true;
		}

		private Call ReadBlocks()
		{
			var call = unfinished;
			var head = call.HeadLength;
			var total = head + Math.Max(0, call.BodyLength);
			while (filled < total)
			{
				var inHead = filled < head;
				var target = inHead ? call.Head : call.Body;
				var at = inHead ? filled : filled - head;
				var missing = target.Length - at;
				if (start < end)
				{
					var count = Math.Min(end - start, missing);
					Buffer.BlockCopy(buffer, start, target, at, count);
					start += count;
					filled += count;
				}
				else if (missing >= ReadSize)
				{
					filled += Read(target, at, missing); // where it will stay
				}
				else
				{
					return null;
				}
			}
			unfinished = null;
			return call;
		}

		private static int Read(byte[] target, int from, int count)
		{
			var got = Libc.Read(Descriptor, target, from, count);
			if (got <= 0) Libc.Exit(0); // PROTOCOL 1.3
			return got;
		}

		/// <summary>Ends the process (PROTOCOL 2.7).</summary>
		private static void Broken(string what, ReadOnlySpan<byte> line)
		{
			var begin = Encoding.ASCII.GetString(line.Slice(0, Math.Min(line.Length, 200)).ToArray());
			Output.Raw("The loader sent what is no frame: " + what + ": " + begin + "\n");
			Libc.Exit(70);
		}
	}
}
