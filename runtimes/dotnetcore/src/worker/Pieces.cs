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

		internal static bool IsStream(object value) =>
			value is Stream || value is IAsyncEnumerable<object> || value is IAsyncEnumerable<ReadOnlyMemory<byte>>;

		internal static Pieces Of(object value, Call call)
		{
			if (value is Stream stream) return new OfStream(stream) { Type = BytesType };
			if (value is IAsyncEnumerable<object> items) return new OfItems(items.GetAsyncEnumerator(call.Cancellation));
			return new OfMemory(((IAsyncEnumerable<ReadOnlyMemory<byte>>)value).GetAsyncEnumerator(call.Cancellation)) { Type = BytesType };
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
			for (var known = type; known != null; known = known.BaseType)
			{
				if (known.FullName == "Newtonsoft.Json.Linq.JToken") return Utf8.Bytes(value.ToString());
			}
			if (value is Delegate || value is Type || type.GetInterfaces().Any(IsStrange)) throw Fault.Invalid($"the handler returned a {type}, which cannot be sent");
			try
			{
				return JsonSerializer.SerializeToUtf8Bytes(value, type, Options);
			}
			catch (Exception error) when (error is JsonException || error is NotSupportedException || error is ArgumentException || error is InvalidOperationException)
			{
				throw Fault.Invalid($"the handler returned a {type}, which JSON has no word for: {error.Message}");
			}
		}

		/// <summary>Of what JSON would have words for, but not the ones that are meant.</summary>
		private static bool IsStrange(Type type) => type.FullName == "Microsoft.AspNetCore.Http.IResult"
			|| type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>);

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

		private sealed class OfMemory : Pieces
		{
			private readonly IAsyncEnumerator<ReadOnlyMemory<byte>> items;

			internal OfMemory(IAsyncEnumerator<ReadOnlyMemory<byte>> items)
			{
				this.items = items;
			}

			internal override async ValueTask<bool> Next()
			{
				if (!await items.MoveNextAsync().ConfigureAwait(false)) return false;
				Current = items.Current;
				return true;
			}

			public override ValueTask DisposeAsync() => items.DisposeAsync();
		}

		/// <summary>Texts and bytes go as they are; other things are the elements of a JSON array, as in ASP.NET Core.</summary>
		private sealed class OfItems : Pieces
		{
			private readonly IAsyncEnumerator<object> items;
			private bool begun;
			private bool array;
			private bool ended;

			internal OfItems(IAsyncEnumerator<object> items)
			{
				this.items = items;
			}

			internal override async ValueTask<bool> Next()
			{
				if (ended) return false;
				var first = !begun;
				begun = true;
				if (!await items.MoveNextAsync().ConfigureAwait(false))
				{
					ended = true;
					Current = Utf8.Bytes("]");
					return array;
				}
				var item = items.Current;
				if (first)
				{
					array = !(item is string || item is byte[]);
					Type = array ? JsonType : item is string ? TextType : BytesType;
				}
				if (array) Current = Utf8.Bytes((first ? "[" : ",") + Utf8.Text(JsonBytes(item)));
				else if (item is string text) Current = Utf8.Bytes(text);
				else if (item is byte[] bytes) Current = bytes;
				else throw Fault.Invalid($"the handler streamed text or bytes, and then {item?.GetType().ToString() ?? "null"}");
				return true;
			}

			public override ValueTask DisposeAsync() => items.DisposeAsync();
		}
	}
}
