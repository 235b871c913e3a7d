using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>
	/// Finds slow calls, once per tick while there is work. Slow is CPU time plus blocked time: see
	/// runtimes/ANATOMY.md, "Runners".
	/// </summary>
	internal sealed class RunnerMonitor
	{
		private const int TickMs = 2;
		private const long TickNs = TickMs * 1_000_000;
		/// <summary>Ticks without work after which the monitor rests.</summary>
		private const int QuietTicks = 10;
		/// <summary>Average time of a call, in µs, from which calls are spread over threads, and below which they no longer are.</summary>
		private const double SpreadFromUs = 60, SpreadUntilUs = SpreadFromUs / 2;
		/// <summary>Weight of the past in the average, per tick.</summary>
		private const double Decay = 0.75;

		private readonly Runners runners;
		private readonly SemaphoreSlim wakes = new SemaphoreSlim(0);
		private int resting;

		/// <summary>The call that the reader was in at the last tick, by its number, and its thread's times when it was first seen.</summary>
		private long seen;
		private long seenWall, seenCpu, seenDelay;
		/// <summary>Calls, and their time in µs; recent ones weigh more.</summary>
		private double calls, time;

		internal RunnerMonitor(Runners runners)
		{
			this.runners = runners;
		}

		internal void Start() => new Thread(Watch) { IsBackground = true, Name = "monitor" }.Start();

		/// <summary>Ends the rest: there is work.</summary>
		internal void Wake()
		{
			if (Volatile.Read(ref resting) != 0 && Interlocked.Exchange(ref resting, 0) != 0) wakes.Release();
		}

		private void Watch()
		{
			var quiet = 0;
			for (;;)
			{
				Thread.Sleep(TickMs);
				runners.Flush();
				LookAtReader();
				LookAtAverage();
				quiet = runners.IsReading ? quiet + 1 : 0;
				if (quiet < QuietTicks) continue;
				quiet = 0;
				// `resting` is set before the check for work; the reader makes its work visible before it
				// checks `resting`. One of the two always sees the other (no lost wake-up).
				Interlocked.Exchange(ref resting, 1);
				if (runners.IsReading || Interlocked.Exchange(ref resting, 0) == 0) wakes.Wait();
			}
		}

		private void LookAtReader()
		{
			var reader = runners.ReaderInCall(out var number);
			if (reader != null && number == seen)
			{
				if (IsSlow(reader.Times)) runners.HandOver(number);
			}
			else if (reader != null)
			{
				seenWall = ThreadTimes.Wall;
				seenCpu = reader.Times.Cpu;
				seenDelay = reader.Times.Delay;
			}
			seen = number;
		}

		/// <summary>Reports whether the thread has computed or been blocked for a tick since its call was first seen.</summary>
		private bool IsSlow(ThreadTimes times)
		{
			var state = times.State;
			// It runs, or waits for a CPU: the kernel adds the latter to the delay only when it ends.
			if (state == 'R' && seenCpu >= 0) return times.Cpu - seenCpu >= TickNs;
			return ThreadTimes.Wall - seenWall - (times.Delay - seenDelay) >= TickNs;
		}

		/// <summary>Judges by the runner that has ended a call last: looking at all of them would cost too much.</summary>
		private void LookAtAverage()
		{
			var runner = runners.TakeSample(out var newCalls, out var newTimeUs);
			if (runner == null) return;
			var delay = runner.Times.Delay;
			var known = runner.SampledDelay;
			runner.SampledDelay = delay;
			if (known < 0) return;
			calls = calls * Decay + newCalls;
			time = time * Decay + newTimeUs - (delay - known) / 1000.0;
			runners.SetSpread(time / calls, SpreadFromUs, SpreadUntilUs);
		}
	}
}
