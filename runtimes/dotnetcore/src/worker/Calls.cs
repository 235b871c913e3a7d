using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Kubeless.Functions;

namespace Kubeless.Worker
{
	/// <summary>The open calls: runs the handler, answers each call exactly once, applies
	/// <c>cancel</c>, <c>pause</c> and <c>resume</c>.</summary>
	internal sealed class Calls
	{
		private readonly Wire wire;
		private readonly Handler handler;
		private readonly Context context;
		private readonly Result result;

		/// <summary>The calls that are not answered yet, by id. Also the lock of this and
		/// `stopping`.</summary>
		private readonly Dictionary<long, Call> open = new Dictionary<long, Call>();
		private bool stopping;

		internal Calls(Wire wire, Handler handler, Context context)
		{
			this.wire = wire;
			this.handler = handler;
			this.context = context;
			result = new Result(this);
		}

		/// <summary>Set once, before the first call.</summary>
		internal Runners Runners { private get; set; }

		/// <summary>Returns after <c>stop</c>, when every call is answered.</summary>
		internal void WaitForStop()
		{
			lock (open)
			{
				while (!stopping || open.Count > 0) Monitor.Wait(open);
			}
		}

		internal Call Open(Message message)
		{
			var call = new Call(message, this);
			lock (open) open[call.Id] = call;
			return call;
		}

		/// <summary>
		/// Runs the call that a runner has taken. The answer is posted now, or later by the task that the
		/// handler returned. No exception of the function leaves this method.
		/// </summary>
		internal void Run(object runner)
		{
			var me = (Runner)runner;
			var call = me.Call;
			Call.Current = call;
			var frame = me.Frame.Clear();
			try
			{
				if (call.IsCancelled) throw CallError.Cancelled();
				if (call.HasJson) JsonBody.Check(call.Message.Data);
				object value;
				me.Enter();
				try
				{
					value = handler.Call(new Event(call), new Context(context, call));
				}
				finally
				{
					me.Leave();
				}
				if (Awaited.IsPending(ref value, out var task))
				{
					_ = Await(call, task);
					return;
				}
				if (!result.Write(frame, call, value)) return;
			}
			catch (Exception error)
			{
				Errors.Error(frame.Clear(), call, error);
			}
			End(call, frame);
		}

		private async Task Await(Call call, Task task)
		{
			var frame = new Frame();
			try
			{
				object value = task;
				while (Awaited.IsPending(ref value, out task))
				{
					await task.ConfigureAwait(false);
					value = task;
				}
				if (!result.Write(frame, call, value)) return;
			}
			catch (Exception error)
			{
				Errors.Error(frame.Clear(), call, error);
			}
			Finish(call, frame);
		}

		// ---- answers

		/// <summary>Posts the frame that ends a call. Returns false, and posts nothing, if the call is
		/// answered.</summary>
		internal bool End(Call call, Frame frame)
		{
			lock (call)
			{
				if (call.IsEnded) return false;
				Output.EndLines(call);
				call.IsEnded = true;
				wire.Post(frame);
			}
			if (call.HasExchange) _ = call.Exchange.Completed();
			lock (open)
			{
				open.Remove(call.Id);
				if (stopping) Monitor.PulseAll(open);
			}
			return true;
		}

		/// <summary>Ends a call from another place than its runner, and sends the frame at
		/// once.</summary>
		internal void Finish(Call call, Frame frame)
		{
			if (End(call, frame)) wire.Flush();
		}

		/// <summary>Sends a frame that is not the last one of its call. Returns false if the call is
		/// answered.</summary>
		internal bool Send(Call call, Frame frame)
		{
			Runner.Uninterrupted(_ =>
			{
				lock (call)
				{
					if (!call.IsEnded) wire.SendChunk(frame);
				}
			}, null);
			return !call.IsEnded;
		}

		// ---- control frames

		internal void Apply(Message message)
		{
			Call call;
			lock (open)
			{
				if (message.Type == MessageType.Stop)
				{
					stopping = true;
					Monitor.PulseAll(open);
					return;
				}
				if (!open.TryGetValue(message.Id, out call)) return; // crossed its answer (PROTOCOL 5.1, 6.1)
			}
			if (message.Type == MessageType.Pause) call.Pause();
			else if (message.Type == MessageType.Resume) call.Resume();
			else if (message.Type == MessageType.Cancel) Cancel(call);
		}

		private void Cancel(Call call)
		{
			call.Cancel();
			// A call that waits for a runner, or occupies one, is ended there (PROTOCOL 6.1).
			if (!Runners.Interrupt(call)) Finish(call, Errors.Error(new Frame(), call, CallError.Cancelled()));
		}
	}
}
