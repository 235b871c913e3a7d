using System.Threading;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>The state of one call. What is sent for it is sent under its lock.</summary>
	internal sealed class Call
	{
		private static readonly AsyncLocal<Call> Local = new AsyncLocal<Call>();

		internal readonly Message Message;
		internal readonly Calls Calls;

		/// <summary>The thread that is inside the call; null if none is. Guarded by the lock of
		/// Runners.</summary>
		internal Runner Runner;
		/// <summary>Output of the function that does not end with a line break yet.</summary>
		internal Output.PartialLines PartialLines;

		private Exchange exchange;
		private bool ended;
		private bool cancelled;
		private CancellationTokenSource source;
		/// <summary>Pending between <c>pause</c> and <c>resume</c>, else null.</summary>
		private TaskCompletionSource<bool> paused;

		internal Call(Message message, Calls calls)
		{
			Message = message;
			Calls = calls;
		}

		/// <summary>The call that the running code belongs to, on any thread; null outside of
		/// calls.</summary>
		internal static Call Current
		{
			get => Local.Value;
			set => Local.Value = value;
		}

		internal long Id => Message.Id;

		internal bool HasJson => Message.IsJson && Message.Data != null && Message.Data.Length > 0;

		/// <summary>A JsonElement or a string.</summary>
		internal object Data => HasJson ? (object)JsonBody.Parse(Message.Data) : Utf8.Text(Message.Data);

		/// <summary>The function has used the request or the response.</summary>
		internal bool HasExchange => Volatile.Read(ref exchange) != null;

		internal Exchange Exchange => LazyInitializer.EnsureInitialized(ref exchange, () => new Exchange(this));

		/// <summary>The call is answered.</summary>
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
			// On another thread: the function's callbacks must not occupy the reader.
			if (known != null) ThreadPool.UnsafeQueueUserWorkItem(_ => Errors.LogExceptions(known.Cancel), null);
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

		/// <summary>Completes when the next chunk may be sent (PROTOCOL 5.1).</summary>
		internal Task MayWrite()
		{
			lock (this) return paused?.Task ?? Task.CompletedTask;
		}
	}
}
