using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>
	/// Decides which thread runs a call, without a hand-over per call. Its roles and rules are in
	/// runtimes/ANATOMY.md, "Runners".
	/// </summary>
	internal sealed class Runners
	{
		private static readonly double TicksPerUs = Stopwatch.Frequency / 1e6;
		/// <summary>A longer call counts as this long, so that one or two do not decide the
		/// average.</summary>
		private static readonly long MaxSampleTicks = Stopwatch.Frequency / 2000; // 500 µs

		private readonly object gate = new object();
		private readonly Wire wire;
		private readonly Calls calls;
		private readonly ContextCallback run;
		private readonly int limit;
		private readonly RunnerMonitor monitor;
		private readonly ExecutionContext atStart = ExecutionContext.Capture();

		/// <summary>Calls that no runner has taken.</summary>
		private readonly Queue<Call> waiting = new Queue<Call>();
		/// <summary>Runners that rest. The last one is woken first: the others may be left to
		/// exit.</summary>
		private readonly List<Runner> idle = new List<Runner>();
		/// <summary>Calls that were read together; used by the reader alone.</summary>
		private readonly List<Call> batch = new List<Call>();
		private int threads;
		private int started;
		/// <summary>Runners that are in a call.</summary>
		private int running;
		private Runner reader;
		/// <summary>The reader waits for the wire, or is about to.</summary>
		private bool reading;
		/// <summary>The number of the call that was begun last.</summary>
		private long begun;
		private bool spread;
		/// <summary>The runner that began a call last.</summary>
		private Runner youngest;
		/// <summary>The runner that ended a call last; null after it was sampled.</summary>
		private Runner latest;

		/// <param name="limit">the number of calls at once; there is one runner more</param>
		internal Runners(Wire wire, Calls calls, int limit)
		{
			this.wire = wire;
			this.calls = calls;
			run = calls.Run;
			this.limit = limit;
			monitor = new RunnerMonitor(this);
		}

		internal void Start()
		{
			lock (gate) Wake(1);
			monitor.Start();
		}

		/// <summary>Returns what a runner does next.</summary>
		internal Runner.Step Next(Runner me, out Call call)
		{
			lock (gate)
			{
				reader ??= me;
				if (waiting.TryDequeue(out call))
				{
					running++;
					if (spread && reader == me)
					{
						reader = null;
						Wake(1 + waiting.Count);
					}
					me.Call = call;
					me.Number = ++begun;
					youngest = me;
					me.StartedAt = Stopwatch.GetTimestamp();
					call.Runner = me;
					return Runner.Step.Run;
				}
				if (reader == me)
				{
					reading = true;
					return Runner.Step.Read;
				}
				idle.Add(me);
				return Runner.Step.Rest;
			}
		}

		internal void Run(Runner me, Call call)
		{
			// In the context of the start: AsyncLocals that a call sets do not reach the next one.
			ExecutionContext.Run(atStart, run, me);
			bool flush;
			lock (gate)
			{
				running--;
				me.Call = null;
				call.Runner = null;
				me.SampleCalls++;
				me.SampleTicks += Math.Min(Stopwatch.GetTimestamp() - me.StartedAt, MaxSampleTicks);
				latest = me;
				flush = reader != me;
			}
			if (call.IsCancelled && !call.IsEnded) calls.Finish(call, Errors.Error(new Frame(), call, CallError.Cancelled()));
			else if (flush) wire.Flush();
		}

		/// <summary>Reads the wire once, and makes the calls in it visible to all runners.</summary>
		internal void Read()
		{
			wire.Flush();
			wire.Fill();
			for (Message message; (message = wire.Next()) != null;)
			{
				if (message.Type == MessageType.Call)
				{
					batch.Add(calls.Open(message));
					continue;
				}
				AddWaiting(); // before the frames that may be about them
				if (message.Type != MessageType.Unknown) calls.Apply(message);
			}
			AddWaiting();
			monitor.Wake();
		}

		private void AddWaiting()
		{
			if (batch.Count == 0) return;
			lock (gate)
			{
				reading = false;
				foreach (var call in batch) waiting.Enqueue(call);
			}
			batch.Clear();
		}

		/// <summary>Interrupts the runner of a call. Returns false if the call neither has a runner nor
		/// waits for one.</summary>
		internal bool Interrupt(Call call)
		{
			lock (gate)
			{
				call.Runner?.Interrupt();
				return call.Runner != null || waiting.Contains(call);
			}
		}

		/// <summary>Removes a runner that has rested for long. Returns false if it was woken
		/// meanwhile.</summary>
		internal bool Remove(Runner me)
		{
			lock (gate)
			{
				if (!idle.Remove(me)) return false;
				threads--;
				return true;
			}
		}

		/// <summary>Wakes or starts up to `count` runners, and no more than one for each call and one for
		/// the wire.</summary>
		private void Wake(int count)
		{
			for (; count > 0 && threads - idle.Count < running + waiting.Count + 1; count--)
			{
				var last = idle.Count - 1;
				if (last >= 0)
				{
					var rested = idle[last];
					idle.RemoveAt(last);
					rested.Wake();
				}
				else if (threads <= limit)
				{
					try
					{
						new Runner(this, ++started).Start();
					}
					catch (OutOfMemoryException)
					{
						if (threads == 0) throw;
						return; // the container's limit of threads: the existing runners continue
					}
					threads++;
				}
			}
		}

		// ---- for the monitor and the output

		internal void Flush() => wire.Flush();

		/// <summary>Returns the reader if it is in a call, else the runner that began a call last, and
		/// the number of the call; null if that has ended.</summary>
		internal Runner InCall(out long number, out bool isReader)
		{
			lock (gate)
			{
				isReader = reader?.Call != null;
				var runner = isReader ? reader : youngest;
				number = runner?.Number ?? 0;
				return runner?.Call == null ? null : runner;
			}
		}

		/// <summary>Makes another runner the reader if the reader is still in this call, and wakes up to
		/// `helpers` for calls that wait.</summary>
		internal void HandOver(long number, int helpers)
		{
			lock (gate)
			{
				if (reader?.Call == null || reader.Number != number) return;
				reader = null;
				Wake(1 + Math.Min(helpers, waiting.Count));
			}
		}

		/// <summary>Returns the runner that ended a call last, its calls since its last sample and their
		/// wall time; null if there is none.</summary>
		internal Runner TakeSample(out long newCalls, out double newTimeUs)
		{
			lock (gate)
			{
				var runner = latest;
				latest = null;
				newCalls = runner?.SampleCalls ?? 0;
				newTimeUs = (runner?.SampleTicks ?? 0) / TicksPerUs;
				if (runner != null) runner.SampleCalls = runner.SampleTicks = 0;
				return runner;
			}
		}

		internal void SetSpread(double averageUs, double fromUs, double untilUs)
		{
			lock (gate) spread = averageUs > (spread ? untilUs : fromUs);
		}

		internal bool IsReading
		{
			get
			{
				lock (gate) return reading;
			}
		}

		internal bool IsReader(Runner runner)
		{
			lock (gate) return reader == runner;
		}
	}
}
