using System;
using System.Collections.Generic;

namespace Kubeless.Worker
{
	internal enum MessageType
	{
		/// <summary>A type of a younger loader, to be skipped (PROTOCOL 2.2).</summary>
		Unknown,
		Call,
		Cancel,
		Pause,
		Resume,
		Stop,
	}

	/// <summary>A frame from the loader (PROTOCOL 4.1). Fields that the line does not have are
	/// null.</summary>
	internal sealed class Message
	{
		/// <summary>A length that the line does not have.</summary>
		internal const int Absent = -1;

		internal MessageType Type;
		internal long Id;
		internal string Method = "";
		internal string Path = "";
		internal string Query;
		internal string Address;
		internal string EventId;
		internal string EventType;
		internal string EventTime;
		internal string EventNamespace;
		internal Dictionary<string, string> Extensions;
		/// <summary>The request says that its body is JSON.</summary>
		internal bool IsJson;

		internal int HeadLength;
		internal int BodyLength = Absent;
		internal int DataLength = Absent;
		internal int EnvelopeLength = Absent;
		internal byte[] Head;
		/// <summary>The request's body; null if it had none.</summary>
		internal byte[] Body;
		/// <summary>The event's data: the body, or what an envelope holds; null without data.</summary>
		internal byte[] Data;

		/// <summary>Separates the data from the envelope behind it (PROTOCOL 4.11).</summary>
		internal void Open()
		{
			Data = Body;
			if (EnvelopeLength == Absent) return;
			Data = DataLength == Absent ? null : Body.AsSpan(0, DataLength).ToArray();
			Body = Body.AsSpan(Body.Length - EnvelopeLength).ToArray();
		}
	}
}
