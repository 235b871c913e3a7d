package io.kubeless.worker;

import io.kubeless.Context;

/**
 * The open calls: runs the handler for each, and applies `cancel`, `pause` and `resume`. The list
 * is guarded by the lock of Runners.
 */
final class Calls {
	private final Wire wire;
	private final Handler handler;
	private final Context context;
	/** the ring of open calls; not a call itself */
	private final Call ring = new Call();

	Calls(Wire wire, Handler handler, Context context) {
		this.wire = wire;
		this.handler = handler;
		this.context = context;
		ring.previous = ring.next = ring;
	}

	/**
	 * Returns the frame that ends the call, after sending those before it. Catches everything that a
	 * handler throws.
	 */
	Frame answer(Runner runner, Call call) {
		Frame frame = runner.frame.clear();
		try {
			if (call.isCancelled()) throw new CallError("CANCELLED", "cancelled before it began");
			Context own = new Context(context.functionName, context.timeout, context.runtime, context.memoryLimit);
			return Result.write(wire, frame, call, handler.call(new CallEvent(call), own));
		} catch (Throwable error) {
			return Errors.error(runner.frame.clear(), call, error);
		}
	}

	void add(Call call) {
		call.next = ring;
		call.previous = ring.previous;
		ring.previous.next = call;
		ring.previous = call;
	}

	void remove(Call call) {
		call.previous.next = call.next;
		call.next.previous = call.previous;
	}

	boolean isEmpty() {
		return ring.next == ring;
	}

	/**
	 * Applies a control frame. Ignores unknown types (PROTOCOL 2.2) and calls that are answered (5.1,
	 * 6.1).
	 */
	void control(Call frame) {
		Call call = ring.next;
		while (call != ring && call.id != frame.id) call = call.next;
		if (call == ring) return;
		if (frame.type.equals("pause")) {
			call.pause();
		} else if (frame.type.equals("resume")) {
			call.resume();
		} else if (frame.type.equals("cancel")) {
			call.cancel();
			if (call.runner != null) call.runner.interrupt();
		}
	}
}
