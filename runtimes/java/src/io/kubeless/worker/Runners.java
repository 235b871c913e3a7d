package io.kubeless.worker;

import java.util.ArrayDeque;

/**
 * Runs calls on threads, without a change of thread for each call.
 *
 * One thread, the reader, owns the wire: it reads what has come, runs the calls in it itself and sends their answers with
 * one write, so that a fast function costs no more than a method call. A monitor looks every few milliseconds: when it finds
 * the reader inside one call for long, it lets another thread read on. When calls turn out to be slow as a rule, the reader
 * hands its place on before it runs one (`spread`), until they are fast again.
 *
 * There is one thread more than calls may run, so that somebody is always there to read `cancel`, `pause` and `stop`.
 *
 * They are system threads: with 2000 calls asleep at once, virtual ones took as much time and more memory, and a few that
 * compute for long would keep all others from their turn.
 */
final class Runners {
	/** nanoseconds a call takes on average from which it gets a thread of its own: a change of thread costs a sixth of it */
	private static final double SLOW = 60_000;
	private static final double FAST = SLOW / 2;
	/** by which a call's time changes the average */
	private static final double WEIGHT = 1.0 / 16;

	/** what next() gives in the place of a call: the wire is to be read, or there is nothing to do */
	static final Call READ = new Call();
	static final Call REST = new Call();

	private final Object lock = new Object();
	private final Wire wire;
	private final Answers answers;
	private final int limit;
	private final ClassLoader loader;
	private final Monitor monitor = new Monitor(this);

	/** calls that nobody has begun */
	private final ArrayDeque<Call> waiting = new ArrayDeque<>();
	/** those at rest, the latest first: its memory is the warmest */
	private final ArrayDeque<Runner> idle = new ArrayDeque<>();
	/** all calls that are not answered, in a ring with this one, which is none */
	private final Call held = new Call();
	private int threads;
	private Runner reader;
	/** the reader waits for the wire, or is about to */
	private boolean reading;
	private long begun;
	private boolean spread;
	/** nanoseconds a call takes */
	private double average;
	private boolean stopping;
	private boolean over;

	Runners(Wire wire, Answers answers, int limit, ClassLoader loader) {
		this.wire = wire;
		this.answers = answers;
		this.limit = limit;
		this.loader = loader;
		held.before = held.after = held;
	}

	/** Returns when `stop` has come and all calls are answered. */
	void serve() throws InterruptedException {
		synchronized (lock) {
			wake(1);
			monitor.start();
			while (!over) lock.wait();
		}
		wire.flush();
	}

	/** What a runner does next. */
	Call next(Runner me) {
		synchronized (lock) {
			Call call = waiting.poll();
			if (call != null) {
				if (spread && reader == me) {
					reader = null;
					wake(1 + waiting.size());
				}
				begin(me, call);
				return call;
			}
			// At its end Java waits a third of a second for threads that are in a system call.
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

	/** Runs a call to its answer, which goes out now, or with the reader's others. */
	void run(Runner me, Call call) {
		Frame frame = answers.answer(me, call);
		Output.endLines(me);
		wire.post(frame);
		frame.clear();
		boolean flush;
		synchronized (lock) {
			me.call = null;
			call.runner = null;
			call.before.after = call.after;
			call.after.before = call.before;
			average += (System.nanoTime() - me.startedAt - average) * WEIGHT;
			spread = average > (spread ? FAST : SLOW);
			flush = reader != me;
			endIfDone();
		}
		Thread.interrupted(); // of a cancel that came at the last moment, or the function's own
		if (flush) wire.flush();
	}

	private void begin(Runner me, Call call) {
		me.call = call;
		me.begun = ++begun;
		me.startedAt = System.nanoTime();
		call.runner = me;
	}

	/** Lets so many more threads see for themselves what there is to do. */
	private void wake(int count) {
		for (int i = 0; i < count; i++) {
			Runner rested = idle.poll();
			if (rested != null) {
				rested.wake();
			} else if (threads <= limit) {
				Runner runner = new Runner(this);
				try {
					thread(runner, "call-" + (threads + 1)).start();
				} catch (OutOfMemoryError tooMany) {
					if (threads == 0) throw tooMany;
					return; // the container's limit of processes; those who are there have to do
				}
				threads++;
			}
		}
	}

	Thread thread(Runnable work, String name) {
		Thread thread = new Thread(work, name);
		thread.setDaemon(true);
		thread.setContextClassLoader(loader);
		return thread;
	}

	private void endIfDone() {
		if (!stopping || held.after != held) return;
		over = true;
		lock.notifyAll();
	}

	// ---- the wire

	void read() {
		wire.flush();
		wire.fill();
		for (Call frame; (frame = wire.next()) != null; ) {
			synchronized (lock) {
				reading = false;
				if (frame.type.equals("call")) {
					frame.after = held;
					frame.before = held.before;
					held.before.after = frame;
					held.before = frame;
					waiting.add(frame);
				} else {
					control(frame);
				}
			}
		}
		monitor.stir();
	}

	private void control(Call frame) {
		if (frame.type.equals("stop")) {
			stopping = true;
			endIfDone();
			return;
		}
		Call call = held.after;
		while (call != held && call.id != frame.id) call = call.after;
		if (call == held) return; // it crossed its answer
		switch (frame.type) {
			case "pause":
				call.pause();
				break;
			case "resume":
				call.resume();
				break;
			case "cancel":
				call.cancel();
				if (call.runner != null) call.runner.thread.interrupt();
				break;
			default: // PROTOCOL 2.2
		}
	}

	// ---- for the monitor

	void flush() {
		wire.flush();
	}

	/** The call the reader is inside of, by its number; 0 if it is not inside any. */
	long readersCall() {
		synchronized (lock) {
			return reader == null || reader.call == null ? 0 : reader.begun;
		}
	}

	/** If the reader is still inside this call, another thread reads on, and others take what waits. */
	void relieve(long number) {
		synchronized (lock) {
			if (reader == null || reader.call == null || reader.begun != number) return;
			reader = null;
			wake(1 + waiting.size());
		}
	}

	boolean isReading() {
		synchronized (lock) {
			return reading;
		}
	}
}
