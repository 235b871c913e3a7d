package io.kubeless.worker;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.Arrays;

/** The wire: frames in, frames out of one socket (PROTOCOL.md, chapters 1 and 2). */
final class Wire {
	/** bytes: a hundred calls */
	private static final int READ = 1 << 16;
	private static final int LINE_MAX = 1 << 20; // bytes, PROTOCOL 2.3
	/** bytes from which a body is written as it stands, not copied together with other frames */
	private static final int LARGE = 1 << 15;

	// Streams, not channels: a channel is closed when a thread is interrupted in it, and functions interrupt.
	private final FileInputStream in;
	private final FileOutputStream out;
	/** frames on their way */
	private final Frame pending = new Frame();

	// What was read; only the thread that reads comes here.
	private byte[] buffer = new byte[READ];
	private int start;
	private int end;
	/** a frame whose line was read and whose head and body are still coming */
	private Call unfinished;
	private int filled;

	private Wire(FileDescriptor descriptor) {
		in = new FileInputStream(descriptor);
		out = new FileOutputStream(descriptor);
	}

	/**
	 * Takes the descriptor as it is (PROTOCOL 1.1), for which Java has no word: opening /dev/fd/3 fails on a socket. It is
	 * left where it was: Java code has no way to name it, and processes that Java starts close all they inherit.
	 */
	static Wire take(int number) {
		try {
			FileDescriptor descriptor = new FileDescriptor();
			Field field = FileDescriptor.class.getDeclaredField("fd");
			field.setAccessible(true); // the worker's jar opens java.io to itself
			field.setInt(descriptor, number);
			return new Wire(descriptor);
		} catch (ReflectiveOperationException error) {
			throw new IllegalStateException("this Java does not let the worker have descriptor " + number, error);
		}
	}

	// ---- out

	/** Takes a frame along with the next that are sent. */
	synchronized void post(Frame frame) {
		pending.bytes(frame.bytes, 0, frame.length);
		if (pending.length >= READ) flush();
	}

	synchronized void send(Frame frame) {
		post(frame);
		flush();
	}

	/** Sends a frame whose body is elsewhere. */
	synchronized void send(Frame frame, byte[] body, int from, int count) {
		post(frame);
		if (count < LARGE) {
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
		} catch (IOException gone) {
			Runtime.getRuntime().halt(0); // the loader is
		}
	}

	// ---- in

	/** Waits for bytes, and gives the next frame that is whole; null where there is none among those that came. */
	Call next() {
		if (unfinished == null && !readLine()) return null;
		return readBlocks();
	}

	/** Waits until something has come. */
	void fill() {
		if (start == end) {
			start = end = 0;
		} else if (end == buffer.length) {
			if (start == 0 && end > LINE_MAX) throw broken("a line over 1 MiB", 0, 0);
			byte[] target = start == 0 ? new byte[end * 2] : buffer;
			System.arraycopy(buffer, start, target, 0, end - start);
			buffer = target;
			end -= start;
			start = 0;
		}
		end += read(buffer, end, Math.min(READ, buffer.length - end));
	}

	private boolean readLine() {
		int newline = start;
		while (newline < end && buffer[newline] != '\n') newline++;
		if (newline == end) return false;
		try {
			unfinished = Line.read(buffer, start, newline);
		} catch (Json.Malformed error) {
			throw broken(error.getMessage(), start, newline);
		}
		unfinished.head = new byte[unfinished.headLength];
		if (unfinished.bodyLength != Call.NO_BODY) unfinished.body = new byte[unfinished.bodyLength];
		filled = 0;
		start = newline + 1;
		if (start == end && buffer.length > READ) {
			buffer = new byte[READ];
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
			} else if (missing >= READ) {
				filled += read(target, at, READ); // where it will stay
			} else {
				return null;
			}
		}
		unfinished = null;
		return call;
	}

	private int read(byte[] target, int from, int count) {
		try {
			int got = in.read(target, from, count);
			if (got < 0) Runtime.getRuntime().halt(0); // PROTOCOL 1.3
			return got;
		} catch (IOException gone) {
			Runtime.getRuntime().halt(0);
			return 0;
		}
	}

	/** Ends the process (PROTOCOL 2.7). */
	private RuntimeException broken(String what, int from, int to) {
		String line = new String(Arrays.copyOfRange(buffer, from, Math.min(to, from + 200)), java.nio.charset.StandardCharsets.ISO_8859_1);
		Output.raw("the loader sent what is no frame: " + what + ": " + line + "\n");
		Runtime.getRuntime().halt(70);
		return new IllegalStateException();
	}
}
