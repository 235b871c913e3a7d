package io.kubeless.worker;

import java.util.Map;

/** A frame from the loader (PROTOCOL.md, chapters 4 to 6); for a call also how it stands. */
final class Call {
	static final int NO_BODY = -1;

	String type;
	long id;
	String method = "";
	String path = "";
	String query;
	String eventId = "";
	String eventType = "";
	String eventTime = "";
	String eventNamespace = "";
	Map<String, String> extensions;
	boolean json;
	int headLength;
	int bodyLength = NO_BODY;
	byte[] head;
	/** null where the request had none */
	byte[] body;

	// How it stands. The first two belong to Runners, under its lock.
	Call before;
	Call after;
	/** who runs it; null before and after */
	Runner runner;
	private boolean paused;
	private boolean cancelled;

	synchronized void pause() {
		paused = true;
	}

	synchronized void resume() {
		paused = false;
		notifyAll();
	}

	synchronized void cancel() {
		cancelled = true;
		notifyAll();
	}

	synchronized boolean isCancelled() {
		return cancelled;
	}

	/** Waits while the call's answer may not be written (PROTOCOL 5.1). */
	synchronized void awaitRoom() throws Fault {
		while (paused && !cancelled) {
			try {
				wait();
			} catch (InterruptedException notOurs) {
				// The function's own; cancel() says so by itself.
			}
		}
		if (cancelled) throw new Fault("CANCELLED", "cancelled while its answer was sent");
	}
}
