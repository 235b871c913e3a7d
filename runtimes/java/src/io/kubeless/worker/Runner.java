package io.kubeless.worker;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A thread that runs calls. */
final class Runner extends Thread {
	/** An idle runner ends after this time. The property is for tests. */
	private static final long IDLE_NS = TimeUnit.MILLISECONDS.toNanos(Long.getLong("kubeless.idle-ms", 60_000));

	/** reused for each answer */
	final Frame frame = new Frame();
	/** the unfinished lines of this thread, by stream */
	final Output.Part[] parts = {new Output.Part(), new Output.Part()};
	/** null until the thread runs, and where there is no /proc */
	volatile String osId;

	// Guarded by the lock of Runners.
	/** the call that it runs */
	Call call;
	/** number of calls begun in this worker when this one began: tells one call from the next */
	volatile long begun;
	long startedAt;
	/** the monitor found the call slow */
	boolean slow;

	private volatile boolean resting;
	private final Runners runners;
	private final String ownName;

	Runner(Runners runners, String name) {
		super(name);
		this.runners = runners;
		this.ownName = name;
	}

	/** Returns the runner of the calling thread; null for a thread that the function made. */
	static Runner current() {
		Thread thread = Thread.currentThread();
		return thread instanceof Runner ? (Runner) thread : null;
	}

	@Override
	public void run() {
		osId = ThreadClock.ownId();
		try {
			for (;;) {
				Call next = runners.next(this);
				if (next == Runners.READ) runners.read();
				else if (next != Runners.REST) runners.run(this, next);
				else if (!rest()) return;
			}
		} catch (Throwable ours) { // Calls catches what functions throw
			Errors.end(ours);
		}
	}

	void begin(Call next, long number) {
		call = next;
		call.runner = this;
		begun = number;
		slow = false;
		startedAt = System.nanoTime();
	}

	void end() {
		call.runner = null;
		call = null;
	}

	/** Undoes a name that the function gave to the thread. */
	void resetName() {
		if (!ownName.equals(getName())) setName(ownName);
	}

	void goToRest() {
		resting = true;
	}

	void wake() {
		resting = false;
		LockSupport.unpark(this);
	}

	/** Waits until the runner is woken. Returns false if it was not needed for IDLE_NS. */
	private boolean rest() {
		long until = System.nanoTime() + IDLE_NS;
		while (resting) {
			long left = until - System.nanoTime();
			if (left <= 0 && runners.retire(this)) return false;
			LockSupport.parkNanos(this, left);
			Thread.interrupted(); // an interrupt would end every further park at once
		}
		return true;
	}
}
