using System;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>A thread that runs calls.</summary>
	internal sealed class Runner
	{
		/// <summary>How long a runner rests before it exits, in ms.</summary>
		private static readonly int IdleMs = int.TryParse(Environment.GetEnvironmentVariable("KUBELESS_IDLE_RUNNER_MS"), out var ms) ? ms : 60_000;

		// A thread is interrupted only in the function's code, never in the worker's.
		private const int InWorker = 0, InFunction = 1, Interrupting = 2, Interrupted = 3;

		[ThreadStatic]
		private static Runner current;

		/// <summary>The runner of the calling thread; null if the thread is not a runner.</summary>
		internal static Runner Current => current;

		/// <summary>The buffer for the answers of its calls, reused.</summary>
		internal readonly Frame Frame = new Frame();

		// Guarded by the lock of Runners.
		/// <summary>The call that the runner is in; null if none.</summary>
		internal Call Call;
		/// <summary>The number of that call, in the order in which calls were begun.</summary>
		internal long Number;
		/// <summary>When it began, in Stopwatch ticks.</summary>
		internal long StartedAt;
		/// <summary>Calls since the monitor's last sample, and their time in Stopwatch ticks.</summary>
		internal long SampleCalls, SampleTicks;

		/// <summary>Used by the monitor: the thread's CPU time at the last sample, in ns.</summary>
		internal long SampledCpu;

		private readonly Runners runners;
		private readonly Thread thread;
		private readonly SemaphoreSlim rest = new SemaphoreSlim(0);
		private int zone;

		internal Runner(Runners runners, int number)
		{
			this.runners = runners;
			thread = new Thread(Work) { IsBackground = true, Name = "runner-" + number };
		}

		/// <summary>Set before the first call.</summary>
		internal ThreadTimes Times { get; private set; }

		internal bool IsReader => runners.IsReader(this);

		internal void Start() => thread.Start();

		internal void Wake() => rest.Release();

		/// <summary>What a runner does next.</summary>
		internal enum Step
		{
			Run,
			Read,
			Rest,
		}

		private void Work()
		{
			current = this;
			Times = new ThreadTimes();
			try
			{
				for (;;)
				{
					switch (runners.Next(this, out var call))
					{
						case Step.Run:
							runners.Run(this, call);
							break;
						case Step.Read:
							runners.Read();
							break;
						default:
							if (rest.Wait(IdleMs)) break;
							if (runners.Remove(this)) return;
							rest.Wait(); // it was woken at the same time
							break;
					}
				}
			}
			catch (Exception error) // a fault of the worker: the function's exceptions end in Calls.Run
			{
				Output.Raw(error + "\n");
				Libc.Exit(70); // EX_SOFTWARE
			}
		}

		// ---- interrupting the function

		/// <summary>Marks that the function's code begins.</summary>
		internal void Enter() => Volatile.Write(ref zone, InFunction);

		/// <summary>Marks that the function's code has ended, and consumes an interrupt. Returns whether
		/// there was one.</summary>
		internal bool Leave()
		{
			var before = Interlocked.CompareExchange(ref zone, InWorker, InFunction);
			if (before == InFunction || before == InWorker) return false;
			while (Volatile.Read(ref zone) != Interrupted) Thread.SpinWait(20);
			Volatile.Write(ref zone, InWorker);
			try
			{
				Thread.Sleep(1); // throws at once if the function has not met the interrupt
			}
			catch (ThreadInterruptedException)
			{
				// consumed
			}
			return true;
		}

		/// <summary>Ends what the function waits for: its Sleep, Wait or Join throws
		/// ThreadInterruptedException.</summary>
		internal void Interrupt()
		{
			if (Interlocked.CompareExchange(ref zone, Interrupting, InFunction) != InFunction) return;
			thread.Interrupt();
			Volatile.Write(ref zone, Interrupted);
		}

		/// <summary>Runs an action of the worker that the function's code may have called, without
		/// interrupts.</summary>
		internal static void Uninterrupted(Action<object> action, object state)
		{
			var me = current;
			if (me == null || Volatile.Read(ref me.zone) == InWorker)
			{
				action(state);
				return;
			}
			var interrupted = me.Leave();
			try
			{
				action(state);
			}
			finally
			{
				me.Enter();
				if (interrupted) me.Interrupt();
			}
		}
	}
}
