package io.kubeless.worker;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What a function prints, as `log` frames that name the call (PROTOCOL.md, chapter 7). */
final class Output extends OutputStream {
	/** bytes; what has no line break by then goes as it is */
	private static final int LINE_MAX = 1 << 20;

	private static Output stdout;
	private static Output stderr;

	private final Wire wire;
	private final String name;
	/** the beginning of a line, by thread: what two calls print at once stays apart */
	private final ThreadLocal<Beginning> beginnings = new ThreadLocal<>();

	private Output(Wire wire, String name) {
		this.wire = wire;
		this.name = name;
	}

	/** From now on System.out and System.err go to the wire; descriptors 1 and 2 stay for native code and child processes. */
	static void redirect(Wire wire) throws IOException {
		stdout = new Output(wire, "stdout");
		stderr = new Output(wire, "stderr");
		System.setOut(new PrintStream(stdout, true, "UTF-8"));
		System.setErr(new PrintStream(stderr, true, "UTF-8"));
	}

	/** The call is over: what it left without a line break is a line too. */
	static void endLines(Runner runner) {
		if (!runner.unfinishedLine) return;
		stdout.endLine(runner);
		stderr.endLine(runner);
		runner.unfinishedLine = false;
	}

	/** For words of our own where the wire cannot be trusted. */
	static void raw(String text) {
		try (FileOutputStream out = new FileOutputStream(FileDescriptor.err)) {
			out.write(text.getBytes(StandardCharsets.UTF_8));
		} catch (IOException nobodyListens) {
			// There is nowhere left to say it.
		}
	}

	@Override
	public void write(int b) {
		write(new byte[] {(byte) b}, 0, 1);
	}

	@Override
	public void write(byte[] bytes, int from, int count) {
		Runner runner = Runner.current();
		Beginning beginning = beginnings.get();
		if (beginning == null) beginnings.set(beginning = new Beginning());
		int cut = from + count;
		while (cut > from && bytes[cut - 1] != '\n') cut--;
		if (cut > from) {
			beginning.write(bytes, from, cut - from);
			emit(runner, beginning);
		}
		beginning.write(bytes, cut, from + count - cut);
		if (beginning.size() > LINE_MAX) emit(runner, beginning);
		if (runner != null && beginning.size() > 0) runner.unfinishedLine = true;
	}

	/** Lines go at once as it is. Half a line waits for its end, or for the call's. */
	@Override
	public void flush() {
		if (Runner.current() == null) endLine(null);
	}

	private void endLine(Runner runner) {
		Beginning beginning = beginnings.get();
		if (beginning != null && beginning.size() > 0) emit(runner, beginning);
	}

	private void emit(Runner runner, Beginning text) {
		byte[] body = text.utf8();
		text.reset();
		Frame frame = new Frame().ascii("{\"type\":\"log\",\"stream\":\"").ascii(name).ascii("\"");
		if (runner != null && runner.call != null) frame.ascii(",\"id\":").number(runner.call.id);
		frame.ascii(",\"body\":").number(body.length).ascii("}\n").bytes(body);
		// A call's lines go with its answer, or at the monitor's next look.
		if (runner != null && runner.call != null) wire.post(frame);
		else wire.send(frame);
	}

	private static final class Beginning extends ByteArrayOutputStream {
		/** As UTF-8, whatever was written: a log is text. */
		byte[] utf8() {
			for (int i = 0; i < count; i++) {
				if (buf[i] < 0) return new String(buf, 0, count, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
			}
			return toByteArray();
		}

		@Override
		public void reset() {
			super.reset();
			if (buf.length > 1 << 16) buf = new byte[32];
		}
	}
}
