using System;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>Bytes to send: a frame, or several.</summary>
	internal sealed class Frame
	{
		/// <summary>Bytes above which the memory is not kept for the next one.</summary>
		private const int Kept = 1 << 20;

		private byte[] bytes = new byte[256];

		internal byte[] Content => bytes;
		internal int Length { get; private set; }

		internal Frame Clear()
		{
			if (bytes.Length > Kept) bytes = new byte[256];
			Length = 0;
			return this;
		}

		/// <summary>A text of characters below 256, one byte each.</summary>
		internal Frame Latin(string text)
		{
			Room(text.Length);
			var target = bytes;
			var at = Length;
			for (var i = 0; i < text.Length; i++) target[at + i] = (byte)text[i];
			Length += text.Length;
			return this;
		}

		internal Frame Number(long value)
		{
			Room(20);
			var digits = 1;
			for (var rest = value; rest >= 10; rest /= 10) digits++;
			for (var at = Length + digits - 1; at >= Length; at--, value /= 10) bytes[at] = (byte)('0' + value % 10);
			Length += digits;
			return this;
		}

		internal Frame Text(string text)
		{
			Room(text.Length * 3);
			Length += Utf8.Write(text, bytes, Length);
			return this;
		}

		internal Frame Bytes(byte[] source, int from, int count)
		{
			Room(count);
			Buffer.BlockCopy(source, from, bytes, Length, count);
			Length += count;
			return this;
		}

		internal Frame Bytes(ReadOnlySpan<byte> source)
		{
			Room(source.Length);
			source.CopyTo(new Span<byte>(bytes, Length, source.Length));
			Length += source.Length;
			return this;
		}

		internal Frame Bytes(Frame other) => Bytes(other.bytes, 0, other.Length);

		/// <summary>A text as JSON has it.</summary>
		internal Frame Quoted(string text)
		{
			var quoted = new StringBuilder(text.Length + 16).Append('"');
			foreach (var c in text)
			{
				if (c == '"' || c == '\\') quoted.Append('\\').Append(c);
				else if (c == '\n') quoted.Append("\\n");
				else if (c < ' ') quoted.Append("\\u00").Append(((int)c).ToString("x2"));
				else quoted.Append(c);
			}
			return Text(quoted.Append('"').ToString());
		}

		private void Room(int count)
		{
			if (bytes.Length - Length >= count) return;
			Array.Resize(ref bytes, Math.Max(bytes.Length * 2, checked(Length + count)));
		}
	}
}
