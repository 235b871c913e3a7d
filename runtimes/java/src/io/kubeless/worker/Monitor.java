package io.kubeless.worker;

import java.util.concurrent.locks.LockSupport;

/** Finds slow calls of the reader while there is work, and rests while there is none. */
final class Monitor implements Runnable {
	static final long TICK_NS = 2_000_000;
	/** ticks without work after which it rests */
	private static final int MAX_QUIET_TICKS = 10;
	/** ticks in a row that prove that calls are slow */
	private static final int MIN_BUSY_TICKS = 2;
	/** A reader with less of a CPU shares it with other processes. */
	private static final double BUSY_SHARE = 0.75;

	private final Runners runners;
	private Thread thread;
	private volatile boolean resting;

	/** the number of the reader's call at the last tick; 0 if the reader was in no call */
	private long seen;
	/** CPU time in ns of the reader's thread when it was first examined in this call */
	private long callCpu;
	/** the reader that was examined last, with its CPU time and the clock at that moment, in ns */
	private Runner examined;
	private long tickCpu;
	private long tickAt;
	/** ticks in a row in which the reader was busy with calls that seem slow */
	private int busyTicks;

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
		try {
			watch();
		} catch (Throwable ours) {
			Errors.end(ours);
		}
	}

	private void watch() {
		int quiet = 0;
		for (;;) {
			LockSupport.parkNanos(this, TICK_NS);
			runners.flush();
			lookAt(runners.busyReader());
			quiet = runners.isReading() ? quiet + 1 : 0;
			if (quiet < MAX_QUIET_TICKS) continue;
			quiet = 0;
			resting = true;
			// Checked after `resting` is set; the reader makes its work visible before it checks `resting`
			// (no lost wake-up).
			while (resting && runners.isReading()) LockSupport.park(this);
			resting = false;
		}
	}

	/** Examines the reader if it is in the same call as a tick ago, or if calls seem slow. */
	private void lookAt(Runner reader) {
		long number = reader == null ? 0 : reader.begun;
		boolean same = number == seen;
		seen = number;
		if (number == 0 || !(same || runners.seemSlow())) {
			examined = null;
			busyTicks = 0;
			return;
		}
		long now = System.nanoTime();
		String id = reader.osId;
		long cpu = id == null ? ThreadClock.UNKNOWN : ThreadClock.cpuNanos(id);
		// Java knows locks, sleep and park; only the kernel knows of I/O. Without /proc wall time
		// decides.
		boolean blocked = reader.getState() != Thread.State.RUNNABLE || cpu == ThreadClock.UNKNOWN || ThreadClock.isBlocked(id);
		if (!same || examined != reader) callCpu = cpu;
		if (same && (blocked || cpu - callCpu >= TICK_NS)) runners.handOver(number);

		boolean busy = blocked || (examined == reader && cpu - tickCpu > (now - tickAt) * BUSY_SHARE);
		busyTicks = busy ? busyTicks + 1 : 0;
		if (busyTicks >= MIN_BUSY_TICKS) runners.spread();
		examined = reader;
		tickCpu = cpu;
		tickAt = now;
	}
}
