using System;
using Kubeless.Worker;

namespace Kubeless.Functions
{
	/// <summary>The event that a function is called with. Fields that the caller did not send are
	/// null.</summary>
	public class Event
	{
		private static readonly byte[] NoBytes = Array.Empty<byte>();

		private readonly Call call;
		private object data;

		public Event(object data, string eventId, string eventType, string eventTime, string eventNamespace, Extensions extensions)
		{
			this.data = data;
			EventId = eventId;
			EventType = eventType;
			EventTime = eventTime;
			EventNamespace = eventNamespace;
			Extensions = extensions;
		}

		internal Event(Call call)
		{
			this.call = call;
			EventId = call.Message.EventId;
			EventType = call.Message.EventType;
			EventTime = call.Message.EventTime;
			EventNamespace = call.Message.EventNamespace;
			Extensions = new Extensions(call);
		}

		/// <summary>The body: a JsonElement if the content type is JSON, else a string; "" without a
		/// body.</summary>
		public object Data => data ??= call?.Data ?? "";

		/// <summary>The body as it was sent, or the data of a structured CloudEvent.</summary>
		public byte[] Bytes => call?.Message.Data ?? NoBytes;

		public string EventId { get; }
		public string EventType { get; }
		public string EventTime { get; }
		public string EventNamespace { get; }
		public Extensions Extensions { get; }
	}
}
