using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Kubeless.Worker
{
	/// <summary>Parses the line of a frame. Unknown fields are parsed and skipped (PROTOCOL 2.1,
	/// 2.2).</summary>
	internal static class MessageReader
	{
		private const int MaxHeadBytes = 1 << 20; // PROTOCOL 2.3
		private const int MaxBodyBytes = 1 << 30;
		private const long MaxCount = (1L << 53) - 1;

		/// <summary>Frequent values, to avoid a new string for each.</summary>
		private static readonly string[] Common = { "GET", "POST", "/", "application/json" };
		private static readonly byte[][] CommonBytes = Array.ConvertAll(Common, Utf8.Bytes);

		// As bytes: ValueTextEquals transcodes a string on each comparison.
		private static readonly byte[] Type = Utf8.Bytes("type"), Id = Utf8.Bytes("id"), Method = Utf8.Bytes("method"),
			Path = Utf8.Bytes("path"), Head = Utf8.Bytes("head"), Body = Utf8.Bytes("body"), Query = Utf8.Bytes("query"),
			Address = Utf8.Bytes("address"), Json = Utf8.Bytes("json"), EventId = Utf8.Bytes("event-id"),
			EventType = Utf8.Bytes("event-type"), EventTime = Utf8.Bytes("event-time"),
			EventNamespace = Utf8.Bytes("event-namespace"), Extensions = Utf8.Bytes("extensions"),
			Data = Utf8.Bytes("data"), Envelope = Utf8.Bytes("envelope");

		private static readonly byte[] CallType = Utf8.Bytes("call"), CancelType = Utf8.Bytes("cancel"), PauseType = Utf8.Bytes("pause"),
			ResumeType = Utf8.Bytes("resume"), StopType = Utf8.Bytes("stop");

		/// <exception cref="JsonException">The line breaks a rule of PROTOCOL chapter 2.</exception>
		internal static Message Read(ReadOnlySpan<byte> line)
		{
			var reader = new Utf8JsonReader(line);
			var message = new Message();
			var isTyped = false;
			if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("not an object");
			while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
			{
				if (reader.ValueTextEquals(Type))
				{
					message.Type = MessageTypeOf(ref reader);
					isTyped = true;
				}
				else
				{
					Member(ref reader, message);
				}
			}
			if (reader.Read() || !isTyped) throw new JsonException("\"type\" is missing");
			return message;
		}

		private static void Member(ref Utf8JsonReader reader, Message message)
		{
			if (reader.ValueTextEquals(Id)) message.Id = Count(ref reader, MaxCount);
			else if (reader.ValueTextEquals(Method)) message.Method = Text(ref reader);
			else if (reader.ValueTextEquals(Path)) message.Path = Text(ref reader);
			else if (reader.ValueTextEquals(Head)) message.HeadLength = (int)Count(ref reader, MaxHeadBytes);
			else if (reader.ValueTextEquals(Body)) message.BodyLength = (int)Count(ref reader, MaxBodyBytes);
			else if (reader.ValueTextEquals(Query)) message.Query = Text(ref reader);
			else if (reader.ValueTextEquals(Address)) message.Address = Text(ref reader);
			else if (reader.ValueTextEquals(Json)) message.IsJson = reader.Read() && reader.TokenType == JsonTokenType.True;
			else if (reader.ValueTextEquals(EventId)) message.EventId = Text(ref reader);
			else if (reader.ValueTextEquals(EventType)) message.EventType = Text(ref reader);
			else if (reader.ValueTextEquals(EventTime)) message.EventTime = Text(ref reader);
			else if (reader.ValueTextEquals(EventNamespace)) message.EventNamespace = Text(ref reader);
			else if (reader.ValueTextEquals(Extensions)) message.Extensions = Texts(ref reader);
			else if (reader.ValueTextEquals(Data)) message.DataLength = (int)Count(ref reader, MaxBodyBytes);
			else if (reader.ValueTextEquals(Envelope)) message.EnvelopeLength = (int)Count(ref reader, MaxBodyBytes);
			else reader.Skip();
		}

		private static MessageType MessageTypeOf(ref Utf8JsonReader reader)
		{
			NextString(ref reader);
			if (reader.ValueTextEquals(CallType)) return MessageType.Call;
			if (reader.ValueTextEquals(CancelType)) return MessageType.Cancel;
			if (reader.ValueTextEquals(PauseType)) return MessageType.Pause;
			if (reader.ValueTextEquals(ResumeType)) return MessageType.Resume;
			if (reader.ValueTextEquals(StopType)) return MessageType.Stop;
			return MessageType.Unknown;
		}

		private static string Text(ref Utf8JsonReader reader)
		{
			NextString(ref reader);
			var value = reader.ValueSpan;
			for (var i = 0; i < CommonBytes.Length; i++)
			{
				if (value.SequenceEqual(CommonBytes[i])) return Common[i];
			}
			return reader.GetString();
		}

		private static void NextString(ref Utf8JsonReader reader)
		{
			reader.Read();
			if (reader.TokenType != JsonTokenType.String) throw new JsonException("not a string");
		}

		private static long Count(ref Utf8JsonReader reader, long max)
		{
			reader.Read();
			if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value) || value < 0 || value > max)
			{
				throw new JsonException("not a count");
			}
			return value;
		}

		private static Dictionary<string, string> Texts(ref Utf8JsonReader reader)
		{
			var texts = new Dictionary<string, string>();
			reader.Read();
			if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("not an object");
			while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
			{
				var name = reader.GetString();
				texts[name] = Text(ref reader);
			}
			return texts;
		}
	}
}
