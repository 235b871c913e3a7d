using System;
using Kubeless.Worker;

namespace Kubeless.Functions
{
	/// <summary>What a function is called with. What is absent is null.</summary>
	public class Event
	{
		private static readonly byte[] Nothing = new byte[0];

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
			EventId = call.EventId;
			EventType = call.EventType;
			EventTime = call.EventTime;
			EventNamespace = call.EventNamespace;
			Extensions = new Extensions(call);
		}

		/// <summary>The body: a JsonElement if it says that it is JSON, else a string; "" where there is none.</summary>
		public object Data => data ??= call?.Data ?? "";

		/// <summary>The body, byte for byte.</summary>
		public byte[] Bytes => call?.Body ?? Nothing;

		public string EventId { get; }
		public string EventType { get; }
		public string EventTime { get; }
		public string EventNamespace { get; }
		public Extensions Extensions { get; }
	}
}
