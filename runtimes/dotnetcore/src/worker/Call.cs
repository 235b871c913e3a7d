using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>A frame from the loader (PROTOCOL.md, chapters 4 to 6); for a call also how it stands.</summary>
	internal sealed class Call
	{
		internal const int NoBody = -1;
		/// <summary>Brackets within brackets that JSON may have.</summary>
		private const int Depth = 1000;

		private static readonly byte[] Mark = { 0xef, 0xbb, 0xbf };
		private static readonly AsyncLocal<Call> Local = new AsyncLocal<Call>();

		internal string Type;
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
		internal bool Json;
		internal int HeadLength;
		internal int BodyLength = NoBody;
		internal byte[] Head;
		/// <summary>null where the request had none</summary>
		internal byte[] Body;

		/// <summary>The call that the running code belongs to, on whatever thread; null if it belongs to none.</summary>
		internal static Call Current
		{
			get => Local.Value;
			set => Local.Value = value;
		}

		private bool IsJson => Json && Body != null && Body.Length > 0;

		private ReadOnlyMemory<byte> JsonText => Body.AsMemory(Body.AsSpan().StartsWith(Mark) ? Mark.Length : 0);

		/// <summary>Only looks: a JsonElement costs twice as much again, and is made for a function that asks for it.</summary>
		/// <exception cref="Fault">BODY_MALFORMED</exception>
		internal void CheckBody()
		{
			if (!IsJson) return;
			var text = JsonText.Span;
			if (!Utf8.IsValid(text)) throw new Fault("BODY_MALFORMED", "the body says that it is JSON and is not: it is not UTF-8");
			try
			{
				var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = Depth });
				while (reader.Read())
				{
				}
			}
			catch (JsonException error)
			{
				throw new Fault("BODY_MALFORMED", "the body says that it is JSON and is not: " + error.Message);
			}
		}

		/// <summary>A JsonElement or a text.</summary>
		internal object Data => IsJson ? (object)JsonDocument.Parse(JsonText, new JsonDocumentOptions { MaxDepth = Depth }).RootElement : Utf8.Text(Body);

		// ---- the request and the response, if the function asks for them

		private Exchange exchange;

		internal bool HasExchange => Volatile.Read(ref exchange) != null;

		internal Exchange Exchange => LazyInitializer.EnsureInitialized(ref exchange, () => new Exchange(this));

		// ---- how it stands

		/// <summary>Who is inside of it; belongs to Runners, under its lock.</summary>
		internal Runner Runner;
		internal Answers Answers;
		/// <summary>What its function printed and has not ended a line of.</summary>
		internal Output.Beginnings Unfinished;

		private bool ended;
		private bool cancelled;
		private CancellationTokenSource source;
		/// <summary>Pending while the answer may not be written; null: it may.</summary>
		private TaskCompletionSource<bool> paused;

		/// <summary>It is answered; what is written of it is written under its lock.</summary>
		internal bool IsEnded
		{
			get => Volatile.Read(ref ended);
			set => Volatile.Write(ref ended, value);
		}

		internal bool IsCancelled => Volatile.Read(ref cancelled);

		internal CancellationToken Cancellation
		{
			get
			{
				lock (this)
				{
					if (source == null)
					{
						source = new CancellationTokenSource();
						if (cancelled) source.Cancel();
					}
					return source.Token;
				}
			}
		}

		internal void Cancel()
		{
			CancellationTokenSource known;
			lock (this)
			{
				if (cancelled) return;
				cancelled = true;
				known = source;
			}
			Resume();
			// What the function does about it is not done on the thread that reads the wire.
			if (known != null) ThreadPool.UnsafeQueueUserWorkItem(_ => Failure.Quietly(known.Cancel), null);
		}

		internal void Pause()
		{
			lock (this)
			{
				if (!cancelled && paused == null) paused = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
			}
		}

		internal void Resume()
		{
			TaskCompletionSource<bool> waiting;
			lock (this)
			{
				waiting = paused;
				paused = null;
			}
			waiting?.SetResult(true);
		}

		/// <summary>Is there when the next piece of the answer may be written (PROTOCOL 5.1).</summary>
		internal Task Room()
		{
			lock (this) return paused?.Task ?? Task.CompletedTask;
		}
	}
}
