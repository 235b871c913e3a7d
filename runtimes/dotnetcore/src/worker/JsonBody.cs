using System;
using System.Text.Json;

namespace Kubeless.Worker
{
	/// <summary>Request bodies that say they are JSON.</summary>
	internal static class JsonBody
	{
		/// <summary>Nested arrays and objects that a body may have.</summary>
		private const int MaxDepth = 1000;

		private static readonly byte[] ByteOrderMark = { 0xef, 0xbb, 0xbf };
		private static readonly byte[] UnicodeEscape = { (byte)'\\', (byte)'u' };
		private const int EscapeBytes = 6; // \uXXXX

		/// <summary>
		/// Validates a body. The JsonElement is made later, in <see cref="Parse"/>, for functions that
		/// read it: making it takes twice the time of validating.
		/// </summary>
		/// <exception cref="CallError">BODY_MALFORMED</exception>
		internal static void Check(byte[] body)
		{
			var json = WithoutMark(body).Span;
			if (!Utf8.IsValid(json)) throw CallError.Malformed("it is not UTF-8");
			try
			{
				var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
				while (reader.Read())
				{
				}
			}
			catch (JsonException error)
			{
				throw CallError.Malformed(error.Message);
			}
		}

		internal static JsonElement Parse(byte[] body)
		{
			var json = ReplaceLoneSurrogates(WithoutMark(body));
			return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth }).RootElement;
		}

		private static ReadOnlyMemory<byte> WithoutMark(byte[] body) =>
			body.AsMemory(body.AsSpan().StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0);

		/// <summary>
		/// Replaces <c>\uD800</c> to <c>\uDFFF</c> without their other half by <c>\uFFFD</c>, in a copy:
		/// JsonElement.GetString throws InvalidOperationException for them.
		/// </summary>
		private static ReadOnlyMemory<byte> ReplaceLoneSurrogates(ReadOnlyMemory<byte> json)
		{
			var span = json.Span;
			byte[] copy = null;
			for (var at = 0; ; at += EscapeBytes)
			{
				var found = span.Slice(at).IndexOf(UnicodeEscape);
				if (found < 0) return copy ?? json;
				at += found;
				if (IsEscapedBackslash(span, at))
				{
					at -= EscapeBytes - 2; // the backslash is escaped by the previous one, "u" is a letter
					continue;
				}
				var code = CodeAt(span, at);
				if (code < 0xd800 || code > 0xdfff) continue;
				if (code < 0xdc00 && IsLowSurrogate(span, at + EscapeBytes))
				{
					at += EscapeBytes;
					continue;
				}
				copy ??= json.ToArray();
				copy[at + 2] = copy[at + 3] = copy[at + 4] = (byte)'f';
				copy[at + 5] = (byte)'d';
			}
		}

		/// <summary>Reports whether an odd number of backslashes stands before this one.</summary>
		private static bool IsEscapedBackslash(ReadOnlySpan<byte> json, int at)
		{
			var before = at;
			while (before > 0 && json[before - 1] == '\\') before--;
			return (at - before) % 2 == 1;
		}

		private static bool IsLowSurrogate(ReadOnlySpan<byte> json, int at)
		{
			if (at + EscapeBytes > json.Length || json[at] != '\\' || json[at + 1] != 'u') return false;
			var code = CodeAt(json, at);
			return code >= 0xdc00 && code <= 0xdfff;
		}

		/// <summary>Returns the number of a <c>\uXXXX</c>, which Check has validated.</summary>
		private static int CodeAt(ReadOnlySpan<byte> json, int at)
		{
			var code = 0;
			for (var i = at + 2; i < at + EscapeBytes; i++)
			{
				int digit = json[i];
				code = code * 16 + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
			}
			return code;
		}
	}
}
