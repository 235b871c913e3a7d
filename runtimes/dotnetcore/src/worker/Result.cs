using System;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>Turns what a handler returned into frames (PROTOCOL 4.4, 4.5).</summary>
	internal sealed class Result
	{
		/// <summary>Longer bodies are sent in chunks (PROTOCOL 5.2).</summary>
		private const int MaxWholeBytes = 256 * 1024;
		private const int MaxChunkBytes = 64 * 1024;

		private readonly Calls calls;

		internal Result(Calls calls)
		{
			this.calls = calls;
		}

		/// <summary>
		/// Writes the whole answer into the frame. Returns false if the answer is sent in chunks instead:
		/// that goes on by itself, and ends the call.
		/// </summary>
		/// <exception cref="CallError">RESULT_INVALID</exception>
		internal bool Write(Frame frame, Call call, object value)
		{
			if (value is string text && !call.HasExchange && text.Length <= MaxChunkBytes)
			{
				// The most frequent result, without the work that the others need.
				frame.Latin("{\"type\":\"result\",\"id\":").Number(call.Id).Latin(",\"head\":41,\"body\":").Number(Utf8.Count(text))
					.Latin("}\nContent-Type: text/plain; charset=utf-8\r\n").Text(text);
				return true;
			}
			var exchange = call.HasExchange ? call.Exchange : null;
			if (exchange != null && exchange.HasStarted)
			{
				_ = EndWritten(call, exchange);
				return false;
			}
			if (ActionResults.Is(value))
			{
				exchange = call.Exchange;
				value = ActionResults.Apply(exchange, value);
			}
			if (ResultBody.IsStream(value))
			{
				_ = Stream(call, ResultBody.Of(value, call));
				return false;
			}
			var body = ResultBody.Bytes(value, out var type);
			// OnStarting callbacks may wait, so they run where waiting is possible.
			if (body.Length > MaxWholeBytes || exchange != null && exchange.HasStartingCallbacks)
			{
				_ = Stream(call, ResultBody.Of(body, type));
				return false;
			}
			var head = exchange != null ? exchange.Head(type, withoutLength: true) : type == null ? "" : "Content-Type: " + type + "\r\n";
			frame.Latin("{\"type\":\"result\",\"id\":").Number(call.Id);
			if (exchange != null) frame.Latin(",\"status\":").Number(exchange.Status);
			frame.Latin(",\"head\":").Number(head.Length).Latin(",\"body\":").Number(body.Length).Latin("}\n").Latin(head).Bytes(body.Span);
			return true;
		}

		private async Task Stream(Call call, ResultBody body)
		{
			var frame = new Frame();
			try
			{
				await using (body.ConfigureAwait(false))
				{
					// The first piece is made before the head is sent: a failure until then is a plain 500.
					var more = await body.Next().ConfigureAwait(false);
					if (call.HasExchange) await call.Exchange.Starting().ConfigureAwait(false);
					if (!calls.Send(call, Head(frame, call, body.Type, body.Length))) return;
					for (; more; more = await body.Next().ConfigureAwait(false))
					{
						if (!await SendChunks(frame, call, body.Current).ConfigureAwait(false)) return;
					}
				}
				frame.Clear().Latin("{\"type\":\"end\",\"id\":").Number(call.Id).Latin("}\n");
			}
			catch (Exception error)
			{
				Errors.Error(frame.Clear(), call, error);
			}
			calls.Finish(call, frame);
		}

		/// <summary>Ends the answer of a function that has written to the response itself.</summary>
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
				Errors.Error(frame.Clear(), call, error);
			}
			calls.Finish(call, frame);
		}

		/// <summary>Makes the frame that begins an answer in chunks.</summary>
		/// <param name="length">of the body in bytes; -1: unknown</param>
		internal static Frame Head(Frame frame, Call call, string type, long length)
		{
			var status = call.HasExchange ? call.Exchange.Status : 200;
			var head = call.HasExchange ? call.Exchange.Head(type, withoutLength: length >= 0)
				: type == null ? "" : "Content-Type: " + type + "\r\n";
			if (length >= 0) head += "Content-Length: " + length + "\r\n";
			return frame.Clear().Latin("{\"type\":\"head\",\"id\":").Number(call.Id).Latin(",\"status\":").Number(status)
				.Latin(",\"head\":").Number(head.Length).Latin("}\n").Latin(head);
		}

		/// <summary>Sends bytes in chunks, and waits while the caller reads slowly. Returns false if the
		/// call is answered.</summary>
		internal static async Task<bool> SendChunks(Frame frame, Call call, ReadOnlyMemory<byte> bytes)
		{
			for (var at = 0; at < bytes.Length; at += MaxChunkBytes)
			{
				await call.MayWrite().ConfigureAwait(false);
				var chunk = bytes.Slice(at, Math.Min(MaxChunkBytes, bytes.Length - at));
				frame.Clear().Latin("{\"type\":\"chunk\",\"id\":").Number(call.Id).Latin(",\"body\":").Number(chunk.Length).Latin("}\n");
				if (!call.Calls.Send(call, frame.Bytes(chunk.Span))) return false;
			}
			return !call.IsEnded;
		}
	}
}
