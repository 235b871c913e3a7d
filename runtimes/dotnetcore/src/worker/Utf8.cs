using System;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>UTF-8 without a byte order mark. Lone surrogates are written as U+FFFD.</summary>
	internal static class Utf8
	{
		private static readonly UTF8Encoding Lenient = new UTF8Encoding(false);
		private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

		internal static string Text(byte[] bytes) => bytes == null || bytes.Length == 0 ? "" : Lenient.GetString(bytes);

		internal static byte[] Bytes(string text) => Lenient.GetBytes(text);

		internal static int Count(string text) => Lenient.GetByteCount(text);

		internal static int Write(string text, byte[] target, int at) => Lenient.GetBytes(text, 0, text.Length, target, at);

		internal static bool IsValid(ReadOnlySpan<byte> bytes)
		{
			try
			{
				Strict.GetCharCount(bytes);
				return true;
			}
			catch (DecoderFallbackException)
			{
				return false;
			}
		}
	}
}
