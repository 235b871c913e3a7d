package io.kubeless.worker;

import java.util.concurrent.locks.LockSupport;

/** Finds slow calls of the reader while there is work, and rests while there is none. */
final class Monitor implements Runnable {
	static final long TICK_NS = 2_000_000;
	/** ticks without work after which it rests */
	private static final int MAX_QUIET_TICKS = 10;
	private static final long UNKNOWN = -1;

	private final Runners runners;
	private Thread thread;
	private volatile boolean resting;

	/** the reader's call at the last tick; 0 if there was none */
	private long seen;
	/** CPU time in ns of the reader's thread, when first looked at in this call */
	private long cpuBefore;

	Monitor(Runners runners) {
		this.runners = runners;
	}

	void start() {
		thread = runners.prepared(new Thread(this, "monitor"));
		thread.start();
	}

	/** Ends its rest. Called after new work is visible. */
	void wake() {
		if (!resting) return;
		resting = false;
		LockSupport.unpark(thread);
	}

	@Override
	public void run() {
		int quiet = 0;
		for (;;) {
			LockSupport.parkNanos(this, TICK_NS);
			runners.flush();
			lookAt(runners.busyReader());
			quiet = runners.isReading() ? quiet + 1 : 0;
			if (quiet < MAX_QUIET_TICKS) continue;
			quiet = 0;
			resting = true;
			// Checked after `resting` is set; the reader makes its work visible before it checks `resting` (no lost wake-up).
			while (resting && runners.isReading()) LockSupport.park(this);
			resting = false;
		}
	}

	private void lookAt(Runner reader) {
		long number = reader == null ? 0 : reader.begun;
		if (number == 0 || number != seen) cpuBefore = UNKNOWN;
		else if (isSlow(reader)) runners.handOver(number);
		seen = number;
	}

	/** Returns whether the thread is blocked, or has used CPU time for a tick. Waiting for a CPU is neither. */
	private boolean isSlow(Runner reader) {
		// Java knows locks, sleep and park; only the kernel knows of I/O.
		if (reader.getState() != Thread.State.RUNNABLE) return true;
		String id = reader.osId;
		long cpu = id == null ? UNKNOWN : ThreadClock.cpuNanos(id);
		if (cpu == UNKNOWN || ThreadClock.isBlocked(id)) return true; // without /proc: wall time
		if (cpuBefore == UNKNOWN) cpuBefore = cpu;
		return cpu - cpuBefore >= TICK_NS;
	}
}
