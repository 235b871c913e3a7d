package io.kubeless;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.Collections;

/** The function of test/chaos, whose README describes it. */
public class faults {
	private static final String VERSION = "one";

	public Object notes(Event event, Context context) throws Exception {
		String[] words = event.Data.split("\n", 2)[0].split(" ");
		int number = Integer.parseInt(words[2]);
		String line = words[0] + " " + VERSION + "\n";
		note(line);
		switch (words[1]) {
		case "echo":
			return event.getBytes();
		case "sleep":
			Thread.sleep(number);
			return line;
		case "stream":
			return Collections.nCopies(number, line).iterator();
		case "raise":
			throw new IllegalArgumentException(words[0]);
		case "die":
			new ProcessBuilder("sh", "-c", "kill -9 $PPID").start().waitFor();
			Thread.sleep(1000);
			return line;
		case "hoard":
			return new long[Integer.MAX_VALUE - number].length;
		case "print":
			for (int i = 0; i < number; i++) System.out.write("{\"\u00ff\0\n".charAt(i % 5));
			System.out.flush();
			return line;
		case "spawn":
			new ProcessBuilder("sh", "-c", "sleep 30 >&2 &").redirectError(ProcessBuilder.Redirect.INHERIT).start();
			return line;
		case "answer":
			return String.join("", Collections.nCopies(number, line));
		default:
			return line;
		}
	}

	/** One write per line: the option is O_APPEND. */
	private static void note(String line) throws IOException {
		String file = System.getenv("FAULTS_NOTES") + "/java";
		try (OutputStream notes = Files.newOutputStream(Paths.get(file), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
			notes.write(line.getBytes(StandardCharsets.UTF_8));
		}
	}
}
