package io.kubeless.worker;

import java.util.concurrent.locks.LockSupport;

/** A thread that runs calls. */
final class Runner implements Runnable {
	private static final ThreadLocal<Runner> CURRENT = new ThreadLocal<>();

	/** to be used again for each answer */
	final Frame frame = new Frame();
	Thread thread;
	/** it printed half a line */
	boolean unfinishedLine;

	// These belong to Runners, under its lock.
	/** the call it is inside of */
	Call call;
	/** calls that were begun before this one, by anybody: tells one call from the next */
	long begun;
	long startedAt;

	/** It has nothing to do and waits to be woken. */
	private volatile boolean resting;
	private final Runners runners;

	Runner(Runners runners) {
		this.runners = runners;
	}

	/** The runner whose thread asks; null for a thread that the function has made. */
	static Runner current() {
		return CURRENT.get();
	}

	@Override
	public void run() {
		thread = Thread.currentThread();
		CURRENT.set(this);
		try {
			for (;;) {
				Call next = runners.next(this);
				if (next == Runners.READ) runners.read();
				else if (next == Runners.REST) rest();
				else runners.run(this, next);
			}
		} catch (Throwable ours) { // what functions throw ends in Answers
			Output.raw(Failure.stackOf(ours));
			Runtime.getRuntime().halt(70);
		}
	}

	void goToRest() {
		resting = true;
	}

	void wake() {
		resting = false;
		LockSupport.unpark(thread);
	}

	private void rest() {
		while (resting) {
			LockSupport.park(this);
			Thread.interrupted(); // nothing in here waits to be interrupted
		}
	}
}
