using System;
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
		/// <summary>Average time of a call, in µs, from which calls are spread over threads, and below
		/// which they no longer are.</summary>
		private const double SpreadFromUs = 60, SpreadUntilUs = SpreadFromUs / 2;
		/// <summary>Weight of the past: in the average per call, in the looks at threads per
		/// tick.</summary>
		private const double CallDecay = 15.0 / 16, LookDecay = 0.75;
		/// <summary>Hand-overs that are fewer ticks apart are a series: the first wakes no helpers, the
		/// second 4, the third 16 …</summary>
		private const int SeriesTicks = 10, HelpersFactor = 4, MaxHelpers = 1 << 20;

		private readonly Runners runners;
		private readonly SemaphoreSlim wakes = new SemaphoreSlim(0);
		private int resting;

		/// <summary>The call that was looked at in the last tick, by its number.</summary>
		private long seen;
		/// <summary>The CPU time of its thread when the call was first seen.</summary>
		private long seenCpu;
		private bool seenBlocked;
		/// <summary>Runners to wake at the next hand-over, beside the new reader, and ticks since the
		/// last one.</summary>
		private int helpers;
		private int ticksSince;

		/// <summary>The number of looks at threads inside calls, and of those that found the thread
		/// blocked, weighted.</summary>
		private double looks, blockedLooks;
		/// <summary>CPU time plus blocked time of a call, in µs.</summary>
		private double average;

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
				LookAtCall();
				UpdateAverage();
				quiet = runners.IsReading ? quiet + 1 : 0;
				if (quiet < QuietTicks) continue;
				quiet = 0;
				// `resting` is set before the check for work; the reader makes its work visible before it
				// checks `resting`. One of the two always sees the other (no lost wake-up).
				Interlocked.Exchange(ref resting, 1);
				if (runners.IsReading || Interlocked.Exchange(ref resting, 0) == 0) wakes.Wait();
			}
		}

		/// <summary>Looks at the call of the reader, or else at the one that was begun last.</summary>
		private void LookAtCall()
		{
			if (++ticksSince > SeriesTicks) helpers = 0;
			looks *= LookDecay;
			blockedLooks *= LookDecay;
			var runner = runners.InCall(out var number, out var isReader);
			if (runner == null)
			{
				seen = 0;
				return;
			}
			var blocked = runner.Times.IsBlocked;
			looks++;
			if (blocked) blockedLooks++;
			if (number != seen)
			{
				seen = number;
				seenCpu = runner.Times.Cpu;
			}
			else if (isReader && (blocked && seenBlocked || runner.Times.Cpu - seenCpu >= TickNs))
			{
				HandOver(number);
			}
			seenBlocked = blocked;
		}

		/// <summary>
		/// One slow call needs one new reader. More runners step in only if the hand-overs go on: else
		/// one slow call of a fast function, during just-in-time compilation, would start many threads.
		/// </summary>
		private void HandOver(long number)
		{
			runners.HandOver(number, helpers);
			helpers = Math.Min(MaxHelpers, helpers == 0 ? HelpersFactor : helpers * HelpersFactor);
			ticksSince = 0;
		}

		/// <summary>Judges by the runner that ended a call last: looking at all of them would cost too
		/// much.</summary>
		private void UpdateAverage()
		{
			var runner = runners.TakeSample(out var newCalls, out var newWallUs);
			if (runner == null) return;
			var now = runner.Times.Cpu;
			var cpuUs = (now - runner.SampledCpu) / 1000.0;
			runner.SampledCpu = now;
			var blockedUs = looks > 0 ? blockedLooks / looks * newWallUs : 0;
			// The thread's CPU time includes reading the wire, which is not part of the calls.
			var timeUs = Math.Min(cpuUs + blockedUs, newWallUs);
			average += (timeUs / newCalls - average) * (1 - Math.Pow(CallDecay, newCalls));
			runners.SetSpread(average, SpreadFromUs, SpreadUntilUs);
		}
	}
}
