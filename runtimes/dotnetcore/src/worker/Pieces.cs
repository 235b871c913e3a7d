using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>The bytes of what a handler returned: at once, or one piece after the other.</summary>
	internal abstract class Pieces : IAsyncDisposable
	{
		private const string TextType = "text/plain; charset=utf-8";
		private const string JsonType = "application/json; charset=utf-8";
		private const string BytesType = "application/octet-stream";
		private const int BufferSize = 64 * 1024;

		/// <summary>As ASP.NET Core writes JSON.</summary>
		private static readonly JsonSerializerOptions Options = new JsonSerializerOptions
		{
			PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
			Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
		};

		internal ReadOnlyMemory<byte> Current { get; private protected set; }

		/// <summary>What it is, where that is known; after the first piece was made.</summary>
		internal string Type { get; private set; }

		/// <summary>Bytes there will be; -1: who knows.</summary>
		internal long Length { get; private set; } = -1;

		internal abstract ValueTask<bool> Next();

		public virtual ValueTask DisposeAsync() => default;

		internal static bool IsStream(object value) => value is Stream || value != null && Kind.Of(value).Elements != null;

		internal static Pieces Of(object value, Call call)
		{
			if (value is Stream stream) return new OfStream(stream) { Type = BytesType };
			var kind = Kind.Of(value);
			return new OfElements(kind.Elements(value, call.Cancellation), kind.Element);
		}

		internal static Pieces Of(ReadOnlyMemory<byte> whole, string type) => new OfWhole(whole) { Type = type, Length = whole.Length };

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
			var kind = Kind.Of(value);
			if (kind.IsNewtonsoft) return Utf8.Bytes(value.ToString());
			if (kind.IsStrange) throw Fault.Invalid($"the handler returned a {type}, which cannot be sent");
			try
			{
				return JsonSerializer.SerializeToUtf8Bytes(value, type, Options);
			}
			catch (Exception error) when (error is JsonException || error is NotSupportedException || error is ArgumentException || error is InvalidOperationException)
			{
				throw Fault.Invalid($"the handler returned a {type}, which JSON has no word for: {error.Message}");
			}
		}

		/// <summary>What goes as it is.</summary>
		private static readonly Type[] Plain = { typeof(string), typeof(byte[]), typeof(ReadOnlyMemory<byte>), typeof(Memory<byte>), typeof(ArraySegment<byte>) };

		private static bool IsPlain(object value) => value != null && Plain.Contains(value.GetType());

		private sealed class OfWhole : Pieces
		{
			private bool given;

			internal OfWhole(ReadOnlyMemory<byte> whole)
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

		private sealed class OfStream : Pieces
		{
			private readonly Stream stream;
			private readonly byte[] buffer = new byte[BufferSize];

			internal OfStream(Stream stream)
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

		/// <summary>Texts and bytes go as they are; other things are the elements of a JSON array, as in ASP.NET Core.</summary>
		private sealed class OfElements : Pieces
		{
			private readonly IAsyncEnumerator<object> elements;
			/// <summary>What the elements are, where their type says nothing: as the first one is.</summary>
			private bool? array;
			private bool begun;
			private bool ended;

			internal OfElements(IAsyncEnumerator<object> elements, Type type)
			{
				this.elements = elements;
				if (type != typeof(object)) array = !Plain.Contains(type);
			}

			internal override async ValueTask<bool> Next()
			{
				if (ended) return false;
				ended = !await elements.MoveNextAsync().ConfigureAwait(false);
				if (!ended) array ??= !IsPlain(elements.Current);
				var open = begun ? "," : "[";
				begun = true;
				if (array != true)
				{
					if (!ended) Current = PlainBytes(elements.Current);
					return !ended;
				}
				Type = JsonType;
				if (!ended) Current = Utf8.Bytes(open + Utf8.Text(JsonBytes(elements.Current)));
				else Current = Utf8.Bytes(open == "[" ? "[]" : "]");
				return true;
			}

			private ReadOnlyMemory<byte> PlainBytes(object element)
			{
				if (!IsPlain(element)) throw Fault.Invalid($"the handler streamed text or bytes, and then {element?.GetType().ToString() ?? "null"}");
				var bytes = Bytes(element, out var type);
				Type ??= type;
				return bytes;
			}

			public override ValueTask DisposeAsync() => elements.DisposeAsync();
		}
	}
}
