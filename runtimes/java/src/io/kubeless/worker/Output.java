package io.kubeless.worker;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Sends what the function prints as `log` frames with the id of its call (PROTOCOL.md, chapter 7).
 */
final class Output extends OutputStream {
	/** a longer line is sent in parts */
	private static final int MAX_LINE_BYTES = 1 << 20;

	private static Output[] streams;

	private final Wire wire;
	private final String name;
	/** 0 for stdout, 1 for stderr */
	private final int number;
	/**
	 * the unfinished lines of threads that are not runners: what two threads print at once is not
	 * mixed
	 */
	private final ThreadLocal<Part> parts = ThreadLocal.withInitial(Part::new);

	private Output(Wire wire, String name, int number) {
		this.wire = wire;
		this.name = name;
		this.number = number;
	}

	/**
	 * Redirects System.out and System.err to the wire. File descriptors 1 and 2 stay for native code
	 * and child processes.
	 */
	static void redirect(Wire wire) throws IOException {
		streams = new Output[] {new Output(wire, "stdout", 0), new Output(wire, "stderr", 1)};
		System.setOut(new PrintStream(streams[0], true, "UTF-8"));
		System.setErr(new PrintStream(streams[1], true, "UTF-8"));
	}

	/** Sends the unfinished lines of a call that has ended. */
	static void endLines(Runner runner) {
		for (int i = 0; i < runner.parts.length; i++) {
			if (runner.parts[i].size() > 0) streams[i].emit(runner, runner.parts[i]);
		}
	}

	/** Writes to file descriptor 2, for errors of the wire itself. */
	static void raw(String text) {
		try (FileOutputStream out = new FileOutputStream(FileDescriptor.err)) {
			out.write(text.getBytes(StandardCharsets.UTF_8));
		} catch (IOException closed) {
			// There is no other place to report it.
		}
	}

	@Override
	public void write(int b) {
		write(new byte[] {(byte) b}, 0, 1);
	}

	@Override
	public void write(byte[] bytes, int from, int count) {
		Runner runner = Runner.current();
		Part part = partOf(runner);
		int cut = from + count;
		while (cut > from && bytes[cut - 1] != '\n') cut--;
		if (cut > from) {
			part.write(bytes, from, cut - from);
			emit(runner, part);
		}
		part.write(bytes, cut, from + count - cut);
		if (part.size() > MAX_LINE_BYTES) emit(runner, part);
	}

	/**
	 * Whole lines are sent by write(). An unfinished line waits for its end, or for the end of its
	 * call.
	 */
	@Override
	public void flush() {
		if (Runner.current() != null) return;
		Part part = partOf(null);
		if (part.size() > 0) emit(null, part);
	}

	private Part partOf(Runner runner) {
		return runner == null ? parts.get() : runner.parts[number];
	}

	private void emit(Runner runner, Part part) {
		byte[] body = part.utf8();
		part.reset();
		Call call = runner == null ? null : runner.call;
		Frame frame = new Frame().ascii("{\"type\":\"log\",\"stream\":\"").ascii(name).ascii("\"");
		if (call != null) frame.ascii(",\"id\":").number(call.id);
		frame.ascii(",\"body\":").number(body.length).ascii("}\n").bytes(body);
		// A call's lines go out with its answer, or at the next tick.
		if (call != null) wire.post(frame);
		else wire.send(frame);
	}

	/** The unfinished line of one thread. */
	static final class Part extends ByteArrayOutputStream {
		private static final int MAX_KEPT_BYTES = 1 << 16;

		/** Returns it as valid UTF-8, whatever was written: a log is text. */
		byte[] utf8() {
			for (int i = 0; i < count; i++) {
				if (buf[i] < 0) return new String(buf, 0, count, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
			}
			return toByteArray();
		}

		@Override
		public synchronized void reset() {
			super.reset();
			if (buf.length > MAX_KEPT_BYTES) buf = new byte[32];
		}
	}
}
