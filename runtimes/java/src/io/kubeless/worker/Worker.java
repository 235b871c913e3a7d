package io.kubeless.worker;

import io.kubeless.Context;
import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The Java worker: holds one function and calls it, as PROTOCOL.md says. start.sh starts it in one
 * of two ways:
 *
 * <pre>
 * java -jar worker.jar CLASSES [JAR | FOLDER]...
 *     serves; CLASSES is a jar, or folders joined by ":"
 *
 * java -jar worker.jar --compile FILE FOLDER CLASSPATH
 *     compiles FILE, see Compile
 * </pre>
 */
public final class Worker {
	private static final int WIRE_DESCRIPTOR = 3;
	/** the number of threads of Kubeless's own image */
	private static final int DEFAULT_CONCURRENCY = 50;

	private Worker() {}

	/** The parts of a worker, in the order of runtimes/ANATOMY.md. */
	public static void main(String[] args) throws Exception {
		Wire wire = Wire.take(WIRE_DESCRIPTOR);
		Output.redirect(wire);
		List<String> words = Arrays.asList(args);
		if (args[0].equals("--compile")) {
			compile(wire, words);
			return;
		}
		Handler handler = load(wire, files(Arrays.asList(args[0].split(File.pathSeparator))), files(words.subList(1, words.size())));

		int concurrency = concurrency();
		Context context = new Context(handler.name, env("FUNC_TIMEOUT", "180"), env("FUNC_RUNTIME", ""), env("FUNC_MEMORY_LIMIT", "0"));
		Calls calls = new Calls(wire, handler, context);
		Runners runners = new Runners(wire, calls, concurrency, new ThreadContext());
		wire.send(new Frame().ascii("{\"type\":\"ready\",\"wire\":1,\"handler\":").quoted(handler.name)
				.ascii(",\"concurrency\":").number(concurrency).ascii(",\"envelopes\":true}\n"));
		runners.serve();
		System.exit(0); // runs the function's shutdown hooks; the loader bounds their time
	}

	private static Handler load(Wire wire, List<File> own, List<File> path) {
		try {
			FunctionLoader loader = new FunctionLoader(own, path);
			Thread.currentThread().setContextClassLoader(loader);
			return Handler.load(loader, env("MOD_NAME", ""), env("FUNC_HANDLER", ""));
		} catch (LoadError error) {
			throw failed(wire, "HANDLER_NOT_FOUND", error.getMessage(), null, error.handlers);
		} catch (Throwable error) {
			Throwable cause = error instanceof ExceptionInInitializerError && error.getCause() != null ? error.getCause() : error;
			throw failed(wire, "HANDLER_FAILED_TO_LOAD", Errors.messageOf(cause), Errors.stackOf(cause), null);
		}
	}

	private static void compile(Wire wire, List<String> words) throws Exception {
		String errors = Compile.compile(new File(words.get(1)), new File(words.get(2)), words.get(3));
		if (!errors.isEmpty()) throw failed(wire, "HANDLER_FAILED_TO_LOAD", errors, null, null);
	}

	/** Sends `failed` and ends the process. */
	private static IllegalStateException failed(Wire wire, String code, String message, String stack, List<String> handlers) {
		wire.send(Errors.failed(code, message, stack, handlers));
		Runtime.getRuntime().halt(1);
		return new IllegalStateException(message);
	}

	private static List<File> files(List<String> names) {
		List<File> files = new ArrayList<>();
		for (String name : names) files.add(new File(name));
		return files;
	}

	private static int concurrency() {
		String given = env("FUNC_CONCURRENCY", "");
		return given.matches("[1-9]\\d{0,5}") ? Integer.parseInt(given) : DEFAULT_CONCURRENCY;
	}

	private static String env(String name, String otherwise) {
		String value = System.getenv(name);
		return value == null || value.trim().isEmpty() ? otherwise : value.trim();
	}
}
