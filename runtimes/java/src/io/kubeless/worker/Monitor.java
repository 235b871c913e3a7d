package io.kubeless.worker;

import java.util.concurrent.locks.LockSupport;

/** Looks after the reader while there is work, and costs nothing while there is none. */
final class Monitor implements Runnable {
	private static final long TICK = 2_000_000; // nanoseconds
	/** ticks without work after which it rests */
	private static final int QUIET = 10;

	private final Runners runners;
	private Thread thread;
	private volatile boolean resting;

	Monitor(Runners runners) {
		this.runners = runners;
	}

	void start() {
		thread = runners.thread(this, "monitor");
		thread.start();
	}

	/** There is work again. */
	void stir() {
		if (!resting) return;
		resting = false;
		LockSupport.unpark(thread);
	}

	@Override
	public void run() {
		long seen = 0;
		int quiet = 0;
		for (;;) {
			LockSupport.parkNanos(this, TICK);
			runners.flush();
			long number = runners.readersCall();
			if (number != 0 && number == seen) runners.relieve(number);
			seen = number;
			quiet = runners.isReading() ? quiet + 1 : 0;
			if (quiet < QUIET) continue;
			quiet = 0;
			resting = true;
			// Asked after resting is told: the reader does it the other way round, so that one of us sees the other.
			while (resting && runners.isReading()) LockSupport.park(this);
			resting = false;
		}
	}
}
