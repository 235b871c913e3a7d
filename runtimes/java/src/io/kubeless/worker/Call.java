package io.kubeless.worker;

import java.util.Arrays;
import java.util.Map;

/** A frame from the loader (PROTOCOL.md, chapters 4 to 6), and for a `call` its state. */
final class Call {
	/** A length that the line does not have. */
	static final int ABSENT = -1;

	String type;
	long id;
	String method = "";
	String path = "";
	String query;
	String address;
	String eventId = "";
	String eventType = "";
	String eventTime = "";
	String eventNamespace = "";
	Map<String, String> extensions;
	/** the request says that its body is JSON */
	boolean json;
	int headLength;
	int bodyLength = ABSENT;
	int dataLength = ABSENT;
	int envelopeLength = ABSENT;
	byte[] head;
	/** the request's body; null if it had none */
	byte[] body;
	/** the event's data: the body, or what an envelope holds; null without data */
	byte[] data;

	// Guarded by the lock of Runners: the neighbours in the list of open calls, and the thread that
	// runs this one.
	Call previous;
	Call next;
	Runner runner;

	private boolean paused;
	private boolean cancelled;

	/** Separates the data from the envelope that follows it in the body (PROTOCOL 4.11). */
	void openEnvelope() {
		data = body;
		if (envelopeLength == ABSENT) return;
		data = dataLength == ABSENT ? null : Arrays.copyOf(body, dataLength);
		body = Arrays.copyOfRange(body, body.length - envelopeLength, body.length);
	}

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

	/** Waits while the call is paused (PROTOCOL 5.1). Throws CANCELLED if the call is cancelled. */
	synchronized void awaitResume() throws CallError {
		while (paused && !cancelled) {
			try {
				wait();
			} catch (InterruptedException ignored) {
				// An interrupt of the function's own. cancel() sets `cancelled` as well.
			}
		}
		if (cancelled) throw new CallError("CANCELLED", "cancelled while its answer was sent");
	}
}
