using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Kubeless.Worker
{
	/// <summary>Reads a frame's line; fields that are not known are checked and skipped (PROTOCOL 2.1, 2.2).</summary>
	internal static class Line
	{
		private const int MaxHead = 1 << 20; // bytes, PROTOCOL 2.3
		private const int MaxBody = 1 << 30;
		private const long MaxCount = (1L << 53) - 1;

		/// <summary>Values that come again and again: no new text for each.</summary>
		private static readonly string[] Common = { "call", "GET", "POST", "/", "cancel", "pause", "resume", "stop", "application/json" };
		private static readonly byte[][] CommonBytes = Array.ConvertAll(Common, Utf8.Bytes);

		// As bytes: a text would be made into them for each comparison.
		private static readonly byte[] Type = Utf8.Bytes("type"), Id = Utf8.Bytes("id"), Method = Utf8.Bytes("method"), Path = Utf8.Bytes("path"), Head = Utf8.Bytes("head"),
			Body = Utf8.Bytes("body"), Query = Utf8.Bytes("query"), Address = Utf8.Bytes("address"), Json = Utf8.Bytes("json"), EventId = Utf8.Bytes("event-id"),
			EventType = Utf8.Bytes("event-type"), EventTime = Utf8.Bytes("event-time"), EventNamespace = Utf8.Bytes("event-namespace"), Extensions = Utf8.Bytes("extensions");

		internal static Call Read(ReadOnlySpan<byte> text)
		{
			var reader = new Utf8JsonReader(text);
			var call = new Call();
			if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("no object");
			while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) Member(ref reader, call);
			if (reader.Read() || call.Type == null) throw new JsonException("no type");
			return call;
		}

		private static void Member(ref Utf8JsonReader reader, Call call)
		{
			if (reader.ValueTextEquals(Type)) call.Type = Text(ref reader);
			else if (reader.ValueTextEquals(Id)) call.Id = Count(ref reader, MaxCount);
			else if (reader.ValueTextEquals(Method)) call.Method = Text(ref reader);
			else if (reader.ValueTextEquals(Path)) call.Path = Text(ref reader);
			else if (reader.ValueTextEquals(Head)) call.HeadLength = (int)Count(ref reader, MaxHead);
			else if (reader.ValueTextEquals(Body)) call.BodyLength = (int)Count(ref reader, MaxBody);
			else if (reader.ValueTextEquals(Query)) call.Query = Text(ref reader);
			else if (reader.ValueTextEquals(Address)) call.Address = Text(ref reader);
			else if (reader.ValueTextEquals(Json)) call.Json = Value(ref reader).TokenType == JsonTokenType.True;
			else if (reader.ValueTextEquals(EventId)) call.EventId = Text(ref reader);
			else if (reader.ValueTextEquals(EventType)) call.EventType = Text(ref reader);
			else if (reader.ValueTextEquals(EventTime)) call.EventTime = Text(ref reader);
			else if (reader.ValueTextEquals(EventNamespace)) call.EventNamespace = Text(ref reader);
			else if (reader.ValueTextEquals(Extensions)) call.Extensions = Texts(ref reader);
			else reader.Skip();
		}

		private static ref Utf8JsonReader Value(ref Utf8JsonReader reader)
		{
			reader.Read();
			return ref reader;
		}

		private static string Text(ref Utf8JsonReader reader)
		{
			reader.Read();
			if (reader.TokenType != JsonTokenType.String) throw new JsonException("no text");
			var value = reader.ValueSpan;
			for (var i = 0; i < CommonBytes.Length; i++)
			{
				if (value.SequenceEqual(CommonBytes[i])) return Common[i];
			}
			return reader.GetString();
		}

		private static long Count(ref Utf8JsonReader reader, long most)
		{
			reader.Read();
			if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value) || value < 0 || value > most)
			{
				throw new JsonException("no count");
			}
			return value;
		}

		private static Dictionary<string, string> Texts(ref Utf8JsonReader reader)
		{
			var found = new Dictionary<string, string>();
			reader.Read();
			if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("no object");
			while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
			{
				var name = reader.GetString();
				found[name] = Text(ref reader);
			}
			return found;
		}
	}
}
