using System;
using System.Threading.Tasks;
using Kubeless.Functions;

namespace Kubeless.Worker
{
	/// <summary>Calls the handler, and puts what it returns into frames (PROTOCOL.md, chapter 4).</summary>
	internal sealed class Answers
	{
		private const int Whole = 256 * 1024; // bytes: more than that goes in pieces (PROTOCOL 5.2)
		private const int Piece = 64 * 1024;

		private readonly Wire wire;
		private readonly Handler handler;
		private readonly Context context;

		internal Answers(Wire wire, Handler handler, Context context)
		{
			this.wire = wire;
			this.handler = handler;
			this.context = context;
		}

		/// <summary>Set once: who is told of the end of calls that went on by themselves.</summary>
		internal Runners Runners { private get; set; }

		/// <summary>Runs the call that a runner is inside of. Nothing a handler throws gets past here.</summary>
		internal void Answer(object runner)
		{
			var me = (Runner)runner;
			var call = me.Call;
			Call.Current = call;
			call.Answers = this;
			var frame = me.Frame.Clear();
			try
			{
				if (call.IsCancelled) throw Fault.Cancelled();
				call.CheckBody();
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
				if (value is string text && !call.HasExchange && text.Length <= Piece)
				{
					Plain(frame, call, text);
				}
				else if (Awaited.IsPending(ref value, out var task))
				{
					_ = GoOn(call, task);
					return;
				}
				else if (!IsWhole(frame, call, value))
				{
					return;
				}
			}
			catch (Exception error)
			{
				Failure.Error(frame.Clear(), call, error);
			}
			End(call, frame);
		}

		/// <summary>Posts the frame that ends a call, unless it has been ended.</summary>
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
			return true;
		}

		/// <summary>Sends a frame of a call that is not its last.</summary>
		internal bool Send(Call call, Frame frame)
		{
			Runner.Undisturbed(_ =>
			{
				lock (call)
				{
					if (!call.IsEnded) wire.SendPiece(frame);
				}
			}, null);
			return !call.IsEnded;
		}

		private async Task GoOn(Call call, Task task)
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
				if (!IsWhole(frame, call, value)) return;
			}
			catch (Exception error)
			{
				Failure.Error(frame.Clear(), call, error);
			}
			Runners.Finish(call, frame);
		}

		/// <summary>The plain case: a short text without status or headers.</summary>
		private static void Plain(Frame frame, Call call, string text)
		{
			frame.Latin("{\"type\":\"result\",\"id\":").Number(call.Id).Latin(",\"head\":41,\"body\":").Number(Utf8.Count(text))
				.Latin("}\nContent-Type: text/plain; charset=utf-8\r\n").Text(text);
		}

		/// <summary>Writes the whole answer, if it is one; else it goes in pieces, by itself, and Finish ends it.</summary>
		private bool IsWhole(Frame frame, Call call, object value)
		{
			var exchange = call.HasExchange ? call.Exchange : null;
			if (exchange != null && exchange.HasStarted)
			{
				_ = EndWritten(call, exchange);
				return false;
			}
			if (ActionResults.Is(value))
			{
				exchange = call.Exchange;
				value = ActionResults.Applied(exchange, value);
			}
			if (Pieces.IsStream(value))
			{
				_ = Stream(call, Pieces.Of(value, call));
				return false;
			}
			var body = Pieces.Bytes(value, out var type);
			if (body.Length > Whole)
			{
				_ = Stream(call, Pieces.Of(body, type));
				return false;
			}
			if (exchange == null)
			{
				var head = type == null ? "" : "Content-Type: " + type + "\r\n";
				frame.Latin("{\"type\":\"result\",\"id\":").Number(call.Id).Latin(",\"head\":").Number(head.Length);
				frame.Latin(",\"body\":").Number(body.Length).Latin("}\n").Latin(head).Bytes(body.Span);
				return true;
			}
			if (exchange.NeedsStart)
			{
				_ = Stream(call, Pieces.Of(body, type)); // a callback that comes before the headers may wait
				return false;
			}
			var fields = exchange.Head(type, counted: true);
			frame.Latin("{\"type\":\"result\",\"id\":").Number(call.Id).Latin(",\"status\":").Number(exchange.Status);
			frame.Latin(",\"head\":").Number(fields.Length).Latin(",\"body\":").Number(body.Length).Latin("}\n").Latin(fields).Bytes(body.Span);
			return true;
		}

		private async Task Stream(Call call, Pieces pieces)
		{
			var frame = new Frame();
			try
			{
				await using (pieces.ConfigureAwait(false))
				{
					// The first piece is made before the head goes: what fails by then is an error and no broken answer.
					var more = await pieces.Next().ConfigureAwait(false);
					if (call.HasExchange) await call.Exchange.Starting().ConfigureAwait(false);
					if (!Send(call, Head(frame, call, pieces.Type, pieces.Length))) return;
					for (; more; more = await pieces.Next().ConfigureAwait(false))
					{
						if (!await SendChunks(frame, call, pieces.Current).ConfigureAwait(false)) return;
					}
				}
				frame.Clear().Latin("{\"type\":\"end\",\"id\":").Number(call.Id).Latin("}\n");
			}
			catch (Exception error)
			{
				Failure.Error(frame.Clear(), call, error);
			}
			Runners.Finish(call, frame);
		}

		/// <summary>The frame that opens an answer in pieces.</summary>
		internal static Frame Head(Frame frame, Call call, string type, long length)
		{
			var status = call.HasExchange ? call.Exchange.Status : 200;
			var head = call.HasExchange ? call.Exchange.Head(type, counted: length >= 0)
				: type == null ? "" : "Content-Type: " + type + "\r\n";
			if (length >= 0) head += "Content-Length: " + length + "\r\n";
			return frame.Clear().Latin("{\"type\":\"head\",\"id\":").Number(call.Id).Latin(",\"status\":").Number(status)
				.Latin(",\"head\":").Number(head.Length).Latin("}\n").Latin(head);
		}

		/// <summary>Sends bytes of an answer in pieces, each when it may be sent; says whether anybody still wants them.</summary>
		internal async Task<bool> SendChunks(Frame frame, Call call, ReadOnlyMemory<byte> bytes)
		{
			for (var at = 0; at < bytes.Length; at += Piece)
			{
				await call.Room().ConfigureAwait(false);
				var piece = bytes.Slice(at, Math.Min(Piece, bytes.Length - at));
				frame.Clear().Latin("{\"type\":\"chunk\",\"id\":").Number(call.Id).Latin(",\"body\":").Number(piece.Length).Latin("}\n");
				if (!Send(call, frame.Bytes(piece.Span))) return false;
			}
			return !call.IsEnded;
		}

		/// <summary>Ends an answer that the function has written to the response itself.</summary>
		private async Task EndWritten(Call call, Exchange exchange)
		{
			var frame = new Frame();
			try
			{
				await exchange.CompleteAsync().ConfigureAwait(false);
				frame.Latin("{\"type\":\"end\",\"id\":").Number(call.Id).Latin("}\n");
			}
			catch (Exception error)
			{
				Failure.Error(frame.Clear(), call, error);
			}
			Runners.Finish(call, frame);
		}
	}
}
