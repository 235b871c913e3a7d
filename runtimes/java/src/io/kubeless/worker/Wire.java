package io.kubeless.worker;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads and writes frames on one socket (PROTOCOL.md, chapters 1 and 2). */
final class Wire {
	/** about a hundred small calls */
	private static final int READ_BYTES = 1 << 16;
	private static final int MAX_LINE_BYTES = 1 << 20; // PROTOCOL 2.3
	/** A body of this size or larger is written from where it is, not copied into `pending`. */
	private static final int LARGE_BODY_BYTES = 1 << 15;

	// Streams, not channels: an interrupt closes a channel, and functions interrupt.
	private final FileInputStream in;
	private final FileOutputStream out;
	/** frames not yet written */
	private final Frame pending = new Frame();

	// Used by the reader only.
	/** received bytes: buffer[start..end) */
	private byte[] buffer = new byte[READ_BYTES];
	private int start;
	private int end;
	/** a frame with a complete line and incomplete blocks (head, body) */
	private Call unfinished;
	/** bytes of its blocks that were read */
	private int filled;

	private Wire(FileDescriptor descriptor) {
		in = new FileInputStream(descriptor);
		out = new FileOutputStream(descriptor);
	}

	/**
	 * Takes an inherited descriptor (PROTOCOL 1.1) by reflection: Java has no public way, and opening
	 * /dev/fd/3 fails on a socket. Child processes do not get it: Java closes all descriptors from 3
	 * on before it runs a program.
	 */
	static Wire take(int number) {
		try {
			FileDescriptor descriptor = new FileDescriptor();
			Field field = FileDescriptor.class.getDeclaredField("fd");
			field.setAccessible(true); // the manifest of the worker's jar opens java.io
			field.setInt(descriptor, number);
			return new Wire(descriptor);
		} catch (ReflectiveOperationException error) {
			throw new IllegalStateException("this Java does not let the worker use file descriptor " + number, error);
		}
	}

	// ---- out

	/** Adds a frame to those that the next flush writes. */
	synchronized void post(Frame frame) {
		pending.bytes(frame.bytes, 0, frame.length);
		if (pending.length >= READ_BYTES) flush();
	}

	synchronized void send(Frame frame) {
		post(frame);
		flush();
	}

	/** Sends a frame whose body is body[from..from+count). */
	synchronized void send(Frame frame, byte[] body, int from, int count) {
		post(frame);
		if (count < LARGE_BODY_BYTES) {
			pending.bytes(body, from, count);
			flush();
		} else {
			flush();
			write(body, from, count);
		}
	}

	synchronized void flush() {
		if (pending.length == 0) return;
		write(pending.bytes, 0, pending.length);
		pending.clear();
	}

	private void write(byte[] bytes, int from, int count) {
		try {
			out.write(bytes, from, count);
		} catch (IOException loaderExited) {
			Runtime.getRuntime().halt(0);
		}
	}

	// ---- in

	/**
	 * Returns the next complete frame; null if fill() must be called first. Waits only within a large
	 * body.
	 */
	Call next() {
		if (unfinished == null && !readLine()) return null;
		return readBlocks();
	}

	/** Waits for bytes. */
	void fill() {
		if (start == end) {
			start = end = 0;
		} else if (end == buffer.length) {
			if (start == 0 && end > MAX_LINE_BYTES) throw broken("the line is longer than 1 MiB", 0, 0);
			byte[] target = start == 0 ? new byte[end * 2] : buffer;
			System.arraycopy(buffer, start, target, 0, end - start);
			buffer = target;
			end -= start;
			start = 0;
		}
		end += read(buffer, end, Math.min(READ_BYTES, buffer.length - end));
	}

	private boolean readLine() {
		int newline = start;
		while (newline < end && buffer[newline] != '\n') newline++;
		if (newline == end) return false;
		try {
			unfinished = Line.read(buffer, start, newline);
		} catch (JsonScanner.Malformed error) {
			throw broken(error.getMessage(), start, newline);
		}
		unfinished.head = new byte[unfinished.headLength];
		if (unfinished.bodyLength != Call.ABSENT) unfinished.body = new byte[unfinished.bodyLength];
		filled = 0;
		start = newline + 1;
		if (start == end && buffer.length > READ_BYTES) {
			buffer = new byte[READ_BYTES];
			start = end = 0;
		}
		return true;
	}

	private Call readBlocks() {
		Call call = unfinished;
		int head = call.headLength;
		int total = head + Math.max(0, call.bodyLength);
		while (filled < total) {
			boolean inHead = filled < head;
			byte[] target = inHead ? call.head : call.body;
			int at = inHead ? filled : filled - head;
			int missing = target.length - at;
			if (start < end) {
				int count = Math.min(end - start, missing);
				System.arraycopy(buffer, start, target, at, count);
				start += count;
				filled += count;
			} else if (missing >= READ_BYTES) {
				filled += read(target, at, READ_BYTES); // without a copy
			} else {
				return null;
			}
		}
		unfinished = null;
		call.openEnvelope();
		return call;
	}

	private int read(byte[] target, int from, int count) {
		try {
			int got = in.read(target, from, count);
			if (got < 0) Runtime.getRuntime().halt(0); // PROTOCOL 1.3
			return got;
		} catch (IOException loaderExited) {
			Runtime.getRuntime().halt(0);
			return 0;
		}
	}

	/** Ends the process (PROTOCOL 2.7). */
	private RuntimeException broken(String what, int from, int to) {
		try {
			String line = new String(Arrays.copyOfRange(buffer, from, Math.min(to, from + 200)), StandardCharsets.ISO_8859_1);
			Output.raw("The loader sent a malformed frame: " + what + ": " + line + "\n");
		} finally {
			Runtime.getRuntime().halt(70);
		}
		return new IllegalStateException();
	}
}
