using System;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>UTF-8 without a mark at its beginning.</summary>
	internal static class Utf8
	{
		private static readonly UTF8Encoding Plain = new UTF8Encoding(false);
		private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

		internal static string Text(byte[] bytes) => bytes == null || bytes.Length == 0 ? "" : Plain.GetString(bytes);

		internal static byte[] Bytes(string text) => Plain.GetBytes(text);

		internal static int Count(string text) => Plain.GetByteCount(text);

		internal static int Write(string text, byte[] target, int at) => Plain.GetBytes(text, 0, text.Length, target, at);

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
