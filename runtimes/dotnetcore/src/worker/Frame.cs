using System;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>A buffer for one or more frames to send.</summary>
	internal sealed class Frame
	{
		private const int StartBytes = 256;
		/// <summary>A larger buffer is not kept for the next frame.</summary>
		private const int MaxKeptBytes = 1 << 20;

		private byte[] bytes = new byte[StartBytes];

		internal byte[] Content => bytes;
		internal int Length { get; private set; }

		internal Frame Clear()
		{
			if (bytes.Length > MaxKeptBytes) bytes = new byte[StartBytes];
			Length = 0;
			return this;
		}

		/// <summary>Appends text in ISO-8859-1: every character is below 256.</summary>
		internal Frame Latin(string text)
		{
			Reserve(text.Length);
			var target = bytes;
			var at = Length;
			for (var i = 0; i < text.Length; i++) target[at + i] = (byte)text[i];
			Length += text.Length;
			return this;
		}

		/// <summary>Appends a number that is not negative.</summary>
		internal Frame Number(long value)
		{
			Reserve(20);
			var digits = 1;
			for (var rest = value; rest >= 10; rest /= 10) digits++;
			for (var at = Length + digits - 1; at >= Length; at--, value /= 10) bytes[at] = (byte)('0' + value % 10);
			Length += digits;
			return this;
		}

		/// <summary>Appends text in UTF-8.</summary>
		internal Frame Text(string text)
		{
			Reserve(text.Length * 3);
			Length += Utf8.Write(text, bytes, Length);
			return this;
		}

		internal Frame Bytes(byte[] source, int from, int count)
		{
			Reserve(count);
			Buffer.BlockCopy(source, from, bytes, Length, count);
			Length += count;
			return this;
		}

		internal Frame Bytes(ReadOnlySpan<byte> source)
		{
			Reserve(source.Length);
			source.CopyTo(new Span<byte>(bytes, Length, source.Length));
			Length += source.Length;
			return this;
		}

		internal Frame Bytes(Frame other) => Bytes(other.bytes, 0, other.Length);

		/// <summary>Appends text as a JSON string.</summary>
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

		private void Reserve(int count)
		{
			if (bytes.Length - Length >= count) return;
			Array.Resize(ref bytes, Math.Max(bytes.Length * 2, checked(Length + count)));
		}
	}
}
