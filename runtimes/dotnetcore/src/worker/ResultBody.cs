using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>The bytes of what a handler returned, whole or piece by piece.</summary>
	internal abstract class ResultBody : IAsyncDisposable
	{
		private const string TextType = "text/plain; charset=utf-8";
		private const string JsonType = "application/json; charset=utf-8";
		private const string BytesType = "application/octet-stream";
		private const int ReadBytes = 64 * 1024;

		/// <summary>The defaults of ASP.NET Core.</summary>
		private static readonly JsonSerializerOptions Options = new JsonSerializerOptions
		{
			PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
			Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
		};

		internal ReadOnlyMemory<byte> Current { get; private protected set; }

		/// <summary>The content type, known after the first piece was made; null: none.</summary>
		internal string Type { get; private set; }

		/// <summary>In bytes; -1: unknown.</summary>
		internal long Length { get; private set; } = -1;

		/// <summary>Makes the next piece, <see cref="Current"/>. Returns false after the last
		/// one.</summary>
		internal abstract ValueTask<bool> Next();

		public virtual ValueTask DisposeAsync() => default;

		internal static bool IsStream(object value) => value is Stream || value != null && ResultType.Of(value).Elements != null;

		internal static ResultBody Of(object value, Call call)
		{
			if (value is Stream stream) return new StreamBody(stream) { Type = BytesType };
			var type = ResultType.Of(value);
			return new ElementsBody(type.Elements(value, call.Cancellation), type.Element);
		}

		internal static ResultBody Of(ReadOnlyMemory<byte> whole, string type) => new WholeBody(whole) { Type = type, Length = whole.Length };

		/// <param name="type">the content type; null: none</param>
		/// <exception cref="CallError">RESULT_INVALID</exception>
		internal static ReadOnlyMemory<byte> Bytes(object value, out string type)
		{
			switch (value)
			{
				case null:
					type = null;
					return default;
				case string text:
					type = TextType;
					return Utf8.Bytes(text);
				case byte[] bytes:
					type = BytesType;
					return bytes;
				case ReadOnlyMemory<byte> memory:
					type = BytesType;
					return memory;
				case Memory<byte> memory:
					type = BytesType;
					return memory;
				case ArraySegment<byte> segment:
					type = BytesType;
					return segment;
				default:
					type = JsonType;
					return JsonBytes(value);
			}
		}

		internal static byte[] JsonBytes(object value)
		{
			if (value == null) return Utf8.Bytes("null");
			var type = value.GetType();
			var known = ResultType.Of(value);
			if (known.IsNewtonsoft) return Utf8.Bytes(value.ToString());
			if (known.CannotBeSent) throw CallError.Invalid($"the handler returned a {type}, which cannot be sent");
			try
			{
				return JsonSerializer.SerializeToUtf8Bytes(value, type, Options);
			}
			catch (Exception error) when (error is JsonException || error is NotSupportedException || error is ArgumentException || error is InvalidOperationException)
			{
				throw CallError.Invalid($"the handler returned a {type}, which cannot be written as JSON: {error.Message}");
			}
		}

		/// <summary>Types that are sent as they are.</summary>
		private static readonly Type[] Plain = { typeof(string), typeof(byte[]), typeof(ReadOnlyMemory<byte>), typeof(Memory<byte>), typeof(ArraySegment<byte>) };

		private static bool IsPlain(object value) => value != null && Plain.Contains(value.GetType());

		private sealed class WholeBody : ResultBody
		{
			private bool given;

			internal WholeBody(ReadOnlyMemory<byte> whole)
			{
				Current = whole;
			}

			internal override ValueTask<bool> Next()
			{
				var more = !given && Current.Length > 0;
				given = true;
				return new ValueTask<bool>(more);
			}
		}

		private sealed class StreamBody : ResultBody
		{
			private readonly Stream stream;
			private readonly byte[] buffer = new byte[ReadBytes];

			internal StreamBody(Stream stream)
			{
				this.stream = stream;
			}

			internal override async ValueTask<bool> Next()
			{
				var count = await stream.ReadAsync(buffer, 0, buffer.Length).ConfigureAwait(false);
				Current = buffer.AsMemory(0, count);
				return count > 0;
			}

			public override ValueTask DisposeAsync() => stream.DisposeAsync();
		}

		/// <summary>Strings and bytes are sent as they are, other elements as one JSON array, as in
		/// ASP.NET Core.</summary>
		private sealed class ElementsBody : ResultBody
		{
			private readonly IAsyncEnumerator<object> elements;
			/// <summary>The elements make a JSON array; null: the first element decides.</summary>
			private bool? array;
			private bool begun;
			private bool ended;

			internal ElementsBody(IAsyncEnumerator<object> elements, Type type)
			{
				this.elements = elements;
				if (type != typeof(object)) array = !Plain.Contains(type);
			}

			internal override async ValueTask<bool> Next()
			{
				if (ended) return false;
				ended = !await elements.MoveNextAsync().ConfigureAwait(false);
				if (!ended) array ??= !IsPlain(elements.Current);
				var separator = begun ? "," : "[";
				begun = true;
				if (array != true)
				{
					if (!ended) Current = PlainBytes(elements.Current);
					return !ended;
				}
				Type = JsonType;
				if (!ended) Current = Utf8.Bytes(separator + Utf8.Text(JsonBytes(elements.Current)));
				else Current = Utf8.Bytes(separator == "[" ? "[]" : "]");
				return true;
			}

			private ReadOnlyMemory<byte> PlainBytes(object element)
			{
				if (!IsPlain(element)) throw CallError.Invalid($"the handler streamed text or bytes, and then {element?.GetType().ToString() ?? "null"}");
				var bytes = Bytes(element, out var type);
				Type ??= type;
				return bytes;
			}

			public override ValueTask DisposeAsync() => elements.DisposeAsync();
		}
	}
}
