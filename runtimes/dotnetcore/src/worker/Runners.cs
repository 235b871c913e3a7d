using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

namespace Kubeless.Worker
{
	/// <summary>
	/// Runs calls on threads, without a change of thread for each call.
	///
	/// One thread, the reader, owns the wire: it reads what has come, runs the calls in it itself and sends their answers with
	/// one write, so that a fast function costs no more than a method call. A watch looks every few milliseconds: when it finds
	/// the reader inside one call for long, it lets another thread read on. When calls turn out to be slow as a rule, the reader
	/// hands its place on before it runs one (`spread`), until they are fast again. A handler that returns a task which is not
	/// over leaves its thread; its call goes on by itself and comes back through Finish.
	///
	/// There is one thread more than calls may run, so that somebody is always there to read `cancel`, `pause` and `stop`.
	/// </summary>
	internal sealed class Runners
	{
		private static readonly double Ticks = Stopwatch.Frequency / 1e6; // per microsecond
		/// <summary>Microseconds a call takes on average from which it gets a thread of its own.</summary>
		private const double Slow = 60;
		private const double Fast = Slow / 2;
		/// <summary>By which a call's time changes the average.</summary>
		private const double Weight = 1.0 / 16;

		private readonly object gate = new object();
		private readonly Wire wire;
		private readonly Answers answers;
		private readonly ContextCallback answer;
		private readonly int limit;
		private readonly Watch watch;
		private readonly ExecutionContext plain = ExecutionContext.Capture();

		/// <summary>Calls that nobody has begun.</summary>
		private readonly Queue<Call> waiting = new Queue<Call>();
		/// <summary>Those at rest, the latest first: its memory is the warmest.</summary>
		private readonly Stack<Runner> idle = new Stack<Runner>();
		/// <summary>All calls that are not answered.</summary>
		private readonly Dictionary<long, Call> held = new Dictionary<long, Call>();
		private int threads;
		private Runner reader;
		/// <summary>The reader waits for the wire, or is about to.</summary>
		private bool reading;
		private long begun;
		private bool spread;
		/// <summary>Microseconds a call takes.</summary>
		private double average;
		private bool stopping;
		private bool over;

		internal Runners(Wire wire, Answers answers, int limit)
		{
			this.wire = wire;
			this.answers = answers;
			answer = answers.Answer;
			this.limit = limit;
			watch = new Watch(this);
		}

		/// <summary>Returns when `stop` has come and all calls are answered.</summary>
		internal void Serve()
		{
			lock (gate)
			{
				Wake(1);
				watch.Start();
				while (!over) Monitor.Wait(gate);
			}
			wire.Drain();
		}

		/// <summary>What a runner does next.</summary>
		internal Runner.Task Next(Runner me, out Call call)
		{
			lock (gate)
			{
				if (waiting.TryDequeue(out call))
				{
					if (spread && reader == me)
					{
						reader = null;
						Wake(1 + waiting.Count);
					}
					me.Call = call;
					me.Begun = ++begun;
					me.StartedAt = Stopwatch.GetTimestamp();
					call.Runner = me;
					return Runner.Task.Run;
				}
				if (!over && (reader == null || reader == me))
				{
					reader = me;
					reading = true;
					return Runner.Task.Read;
				}
				idle.Push(me);
				return Runner.Task.Rest;
			}
		}

		/// <summary>Runs a call to its answer, which goes out now or with the reader's others, or to where it goes on by itself.</summary>
		internal void Run(Runner me, Call call)
		{
			// In a context of its own: what a function leaves in one is not there for the next call.
			ExecutionContext.Run(plain, answer, me);
			bool flush, cancelled;
			lock (gate)
			{
				me.Call = null;
				call.Runner = null;
				cancelled = call.IsCancelled && !call.IsEnded;
				if (call.IsEnded) Forget(call);
				average += ((Stopwatch.GetTimestamp() - me.StartedAt) / Ticks - average) * Weight;
				spread = average > (spread ? Fast : Slow);
				flush = reader != me;
			}
			if (cancelled) Finish(call, Failure.Error(new Frame(), call, Fault.Cancelled()));
			else if (flush) wire.Flush();
		}

		/// <summary>Ends a call that went on by itself.</summary>
		internal void Finish(Call call, Frame frame)
		{
			if (!answers.End(call, frame)) return;
			lock (gate)
			{
				if (call.Runner == null) Forget(call); // else Run does it
			}
			wire.Flush();
		}

		private void Forget(Call call)
		{
			held.Remove(call.Id);
			EndIfDone();
		}

		/// <summary>Lets so many more threads see for themselves what there is to do.</summary>
		private void Wake(int count)
		{
			for (var i = 0; i < count; i++)
			{
				if (idle.TryPop(out var rested))
				{
					rested.Wake();
				}
				else if (threads <= limit)
				{
					var runner = new Runner(this, threads + 1);
					try
					{
						runner.Start();
					}
					catch (OutOfMemoryException)
					{
						if (threads == 0) throw;
						return; // the container's limit of processes; those who are there have to do
					}
					threads++;
				}
			}
		}

		private void EndIfDone()
		{
			if (!stopping || held.Count > 0) return;
			over = true;
			Monitor.PulseAll(gate);
		}

		// ---- the wire

		internal void Read()
		{
			wire.Flush();
			wire.Fill();
			for (Call frame; (frame = wire.Next()) != null;)
			{
				lock (gate)
				{
					reading = false;
					if (frame.Type == "call")
					{
						held[frame.Id] = frame;
						waiting.Enqueue(frame);
						continue;
					}
				}
				Control(frame);
			}
			watch.Stir();
		}

		private void Control(Call frame)
		{
			Call call;
			lock (gate)
			{
				if (frame.Type == "stop")
				{
					stopping = true;
					EndIfDone();
					return;
				}
				if (!held.TryGetValue(frame.Id, out call)) return; // it crossed its answer
			}
			switch (frame.Type)
			{
				case "pause":
					call.Pause();
					break;
				case "resume":
					call.Resume();
					break;
				case "cancel":
					Cancel(call);
					break;
			}
		}

		private void Cancel(Call call)
		{
			call.Cancel();
			lock (gate)
			{
				call.Runner?.Interrupt();
				// One that waits for its turn, or is inside of its handler, ends there.
				if (call.Runner != null || waiting.Contains(call)) return;
			}
			Finish(call, Failure.Error(new Frame(), call, Fault.Cancelled()));
		}

		// ---- for the watch

		internal void Flush() => wire.Flush();

		/// <summary>The call the reader is inside of, by its number; 0 if it is not inside any.</summary>
		internal long ReadersCall
		{
			get
			{
				lock (gate) return reader?.Call == null ? 0 : reader.Begun;
			}
		}

		/// <summary>If the reader is still inside this call, another thread reads on, and others take what waits.</summary>
		internal void Relieve(long number)
		{
			lock (gate)
			{
				if (reader?.Call == null || reader.Begun != number) return;
				reader = null;
				Wake(1 + waiting.Count);
			}
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
