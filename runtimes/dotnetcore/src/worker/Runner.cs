using System;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>A thread that runs calls.</summary>
	internal sealed class Runner
	{
		// Where it stands to being interrupted: only while it is inside of a handler, never in code of ours that it passes there.
		private const int Ours = 0, Theirs = 1, Interrupting = 2, WasInterrupted = 3;

		[ThreadStatic]
		private static Runner current;

		/// <summary>The runner whose thread asks; null for a thread that is none.</summary>
		internal static Runner Current => current;

		/// <summary>To be used again for each answer.</summary>
		internal readonly Frame Frame = new Frame();

		// These belong to Runners, under its lock.
		/// <summary>The call it is inside of.</summary>
		internal Call Call;
		/// <summary>Calls that were begun before this one, by anybody: tells one call from the next.</summary>
		internal long Begun;
		internal long StartedAt;

		private readonly Runners runners;
		private readonly Thread thread;
		private readonly SemaphoreSlim rest = new SemaphoreSlim(0);
		private int zone;

		internal Runner(Runners runners, int number)
		{
			this.runners = runners;
			thread = new Thread(Work) { IsBackground = true, Name = "call-" + number };
		}

		internal bool IsReader => runners.IsReader(this);

		internal void Start() => thread.Start();

		internal void Wake() => rest.Release();

		private void Work()
		{
			current = this;
			try
			{
				for (;;)
				{
					switch (runners.Next(this, out var call))
					{
						case Task.Run:
							runners.Run(this, call);
							break;
						case Task.Read:
							runners.Read();
							break;
						default:
							rest.Wait();
							break;
					}
				}
			}
			catch (Exception ours) // what functions throw ends in Answers
			{
				Output.Raw(ours + "\n");
				Libc.Exit(70);
			}
		}

		/// <summary>What a runner does next.</summary>
		internal enum Task
		{
			Run,
			Read,
			Rest,
		}

		// ---- being interrupted

		/// <summary>From here on it runs the function's code.</summary>
		internal void Enter() => Volatile.Write(ref zone, Theirs);

		/// <summary>It is back; an interrupt that came meanwhile is used up. Says whether there was one.</summary>
		internal bool Leave()
		{
			var before = Interlocked.CompareExchange(ref zone, Ours, Theirs);
			if (before == Theirs || before == Ours) return false;
			while (Volatile.Read(ref zone) != WasInterrupted) Thread.SpinWait(20);
			Volatile.Write(ref zone, Ours);
			try
			{
				Thread.Sleep(1); // ends at once if the function has not met the interrupt
			}
			catch (ThreadInterruptedException)
			{
				// That was it.
			}
			return true;
		}

		/// <summary>Ends what the function waits for.</summary>
		internal void Interrupt()
		{
			if (Interlocked.CompareExchange(ref zone, Interrupting, Theirs) != Theirs) return;
			thread.Interrupt();
			Volatile.Write(ref zone, WasInterrupted);
		}

		/// <summary>Does what must not be interrupted, whoever asks for it: the function's code may.</summary>
		internal static void Undisturbed(Action<object> action, object state)
		{
			var me = current;
			if (me == null || Volatile.Read(ref me.zone) == Ours)
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
