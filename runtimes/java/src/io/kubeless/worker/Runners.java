package io.kubeless.worker;

import java.util.ArrayDeque;

/**
 * Runs calls on threads without a hand-over per call: runtimes/ANATOMY.md, "Runners", explains
 * reader, runner, monitor, hand-over and spread. Platform threads: 2000 sleeping calls took as long
 * and less memory than on virtual threads.
 */
final class Runners {
	/**
	 * Average wall time of a call in ns from which calls may be slow; ten times what a hand-over
	 * costs.
	 */
	private static final double SLOW_NS = 60_000;
	/** Average time of a call in ns below which they are no longer spread. */
	private static final double FAST_NS = SLOW_NS / 2;
	private static final double WEIGHT = 1.0 / 16;
	/** One slow call must not turn spread on alone: SLOW_NS / WEIGHT = 960 µs would. */
	private static final double MAX_SAMPLE_NS = 900_000;
	/**
	 * A longer call counts only if the monitor found it slow: the thread may have waited for a CPU.
	 */
	private static final long MAX_UNJUDGED_NS = 2 * Monitor.TICK_NS;

	/** Returned by next() in the place of a call: read the wire, or rest. */
	static final Call READ = new Call();
	static final Call REST = new Call();

	private final Object lock = new Object();
	private final Wire wire;
	private final Calls calls;
	private final int limit;
	private final ThreadContext context;
	private final Monitor monitor = new Monitor(this);

	/** calls that wait for a thread */
	private final ArrayDeque<Call> waiting = new ArrayDeque<>();
	/** resting runners, the last first: its memory is most likely in the CPU's cache */
	private final ArrayDeque<Runner> idle = new ArrayDeque<>();
	private int threads;
	private int started;
	private Runner reader;
	/** the runner that was woken or started and has not yet called next() */
	private Runner waking;
	/** the reader waits for the wire, or is about to */
	private boolean reading;
	private long begun;
	private boolean spread;
	private double averageNs;
	private boolean stopping;
	private boolean over;

	/** @param limit calls at once */
	Runners(Wire wire, Calls calls, int limit, ThreadContext context) {
		this.wire = wire;
		this.calls = calls;
		this.limit = limit;
		this.context = context;
	}

	/** Returns after `stop`, when all calls are answered. */
	void serve() throws InterruptedException {
		synchronized (lock) {
			wake();
			monitor.start();
			while (!over) lock.wait();
		}
		wire.flush();
	}

	/** Returns the call that a runner runs next, READ or REST. */
	Call next(Runner me) {
		synchronized (lock) {
			if (waking == me) waking = null;
			Call call = waiting.poll();
			if (call != null) {
				if (spread && reader == me) reader = null;
				else if (!spread && reader == null) reader = me; // the monitor looks at it from now on
				if (reader == null || (spread && !waiting.isEmpty())) wake();
				me.begin(call, ++begun);
				return call;
			}
			// A thread in a system call delays the end of Java by 300 ms, so none reads when all is over.
			if (!over && (reader == null || reader == me)) {
				reader = me;
				reading = true;
				return READ;
			}
			idle.push(me);
			me.goToRest();
			return REST;
		}
	}

	/** Runs a call. A reader's answers go out together, when it reads again or at the next tick. */
	void run(Runner me, Call call) {
		Frame frame = calls.answer(me, call);
		Output.endLines(me);
		wire.post(frame);
		frame.clear();
		context.reset(me);
		boolean flush;
		synchronized (lock) {
			long elapsed = System.nanoTime() - me.startedAt;
			if (!me.slow && elapsed < MAX_UNJUDGED_NS) average((double) elapsed);
			me.end();
			calls.remove(call);
			flush = reader != me;
			endIfDone();
		}
		Thread.interrupted(); // clears a late cancel, or the function's own interrupt
		if (flush) wire.flush();
	}

	private void average(double ns) {
		averageNs += (Math.min(ns, MAX_SAMPLE_NS) - averageNs) * WEIGHT;
		if (averageNs < FAST_NS) spread = false;
	}

	/**
	 * Wakes or starts one runner, unless one is on its way. If there is still work when it arrives, it
	 * wakes the next one: where CPUs are short, the threads that have one do the work, and no others
	 * are started.
	 */
	private void wake() {
		if (waking != null) return;
		Runner runner = idle.poll();
		if (runner != null) {
			runner.wake();
		} else {
			if (threads > limit) return;
			runner = context.prepared(new Runner(this, "call-" + ++started));
			try {
				runner.start();
			} catch (OutOfMemoryError tooMany) { // the container's limit of processes
				if (threads == 0) throw tooMany;
				return;
			}
			threads++;
		}
		waking = runner;
	}

	/** Returns whether a runner that was idle for long may end; false if it was woken meanwhile. */
	boolean retire(Runner me) {
		synchronized (lock) {
			boolean idled = idle.remove(me);
			if (idled) threads--;
			return idled;
		}
	}

	private void endIfDone() {
		if (!stopping || !calls.isEmpty()) return;
		over = true;
		lock.notifyAll();
	}

	void read() {
		wire.flush();
		wire.fill();
		for (Call frame; (frame = wire.next()) != null; ) {
			synchronized (lock) {
				reading = false;
				if (frame.type.equals("call")) {
					calls.add(frame);
					waiting.add(frame);
				} else if (frame.type.equals("stop")) {
					stopping = true;
					endIfDone();
				} else {
					calls.control(frame);
				}
			}
		}
		monitor.wake();
	}

	// ---- for the monitor

	void flush() {
		wire.flush();
	}

	boolean isReading() {
		synchronized (lock) {
			return reading;
		}
	}

	/** Returns the reader if it is inside a call, otherwise null. */
	Runner busyReader() {
		synchronized (lock) {
			return reader == null || reader.call == null ? null : reader;
		}
	}

	/**
	 * Returns whether calls are slow by wall time, which may be the machine's fault, and are not
	 * spread yet.
	 */
	boolean seemSlow() {
		synchronized (lock) {
			return averageNs > SLOW_NS && !spread;
		}
	}

	/** Turns spread on: the monitor has found that the calls that seem slow are slow. */
	void spread() {
		synchronized (lock) {
			spread = averageNs > SLOW_NS;
		}
	}

	/**
	 * If the reader is still inside its call number `number`, which is slow, another runner becomes
	 * the reader.
	 */
	void handOver(long number) {
		synchronized (lock) {
			if (reader == null || reader.call == null || reader.begun != number) return;
			average((double) (System.nanoTime() - reader.startedAt));
			if (averageNs > SLOW_NS) spread = true;
			reader.slow = true;
			reader = null;
			wake();
		}
	}

	Thread prepared(Thread thread) {
		return context.prepared(thread);
	}
}
