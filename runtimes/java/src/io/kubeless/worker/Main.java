package io.kubeless.worker;

import io.kubeless.Context;
import java.io.File;
import java.util.Arrays;
import java.util.List;

/**
 * The Java worker: holds one function and calls it, as PROTOCOL.md says. start.sh starts it with the function's own classes
 * (a folder or a jar) and the rest of its class path, or with `--failed WORDS`, those of a compiler that found errors.
 */
public final class Main {
	private static final int WIRE = 3;
	/** as many as Kubeless's own image had threads */
	private static final int CONCURRENCY = 50;
	/** milliseconds that what the function left behind may take to end */
	private static final int PATIENCE = 1000;

	private Main() {}

	public static void main(String[] args) throws Exception {
		// 1 · take the wire, 2 · send
		Wire wire = Wire.take(WIRE);
		Output.redirect(wire);
		if (args[0].equals("--failed")) fail(wire, "HANDLER_FAILED_TO_LOAD", args[1], null, null);

		// 3 · encode: Answers. 4 · load the handler
		Handler handler = load(wire, args[0], Arrays.asList(args).subList(1, args.length));

		// 5 · ready, 6 · the loop
		int concurrency = concurrency();
		Context context = new Context(handler.name, env("FUNC_TIMEOUT", "180"), env("FUNC_RUNTIME", ""), env("FUNC_MEMORY_LIMIT", "0"));
		Answers answers = new Answers(wire, handler, context);
		Runners runners = new Runners(wire, answers, concurrency, Thread.currentThread().getContextClassLoader());
		wire.send(new Frame().ascii("{\"type\":\"ready\",\"wire\":1,\"handler\":").quoted(handler.name)
				.ascii(",\"concurrency\":").number(concurrency).ascii("}\n"));
		runners.serve();
		leave(0);
	}

	private static Handler load(Wire wire, String own, List<String> path) {
		try {
			FunctionLoader loader = new FunctionLoader(new File(own), path);
			Thread.currentThread().setContextClassLoader(loader);
			return Handler.load(loader, env("MOD_NAME", ""), env("FUNC_HANDLER", ""));
		} catch (Handler.NotFound error) {
			fail(wire, "HANDLER_NOT_FOUND", error.getMessage(), null, error.handlers);
		} catch (Throwable error) {
			Throwable cause = error instanceof ExceptionInInitializerError && error.getCause() != null ? error.getCause() : error;
			fail(wire, "HANDLER_FAILED_TO_LOAD", Failure.messageOf(cause), Failure.stackOf(cause), null);
		}
		throw new IllegalStateException();
	}

	private static void fail(Wire wire, String code, String message, String stack, List<String> handlers) {
		wire.send(Failure.failed(code, message, stack, handlers));
		Runtime.getRuntime().halt(1); // nothing has run that would want to end in peace
	}

	/** Ends as any Java program does, but waits a moment at most for what the function's shutdown hooks do. */
	private static void leave(int code) {
		Thread patience = new Thread(() -> {
			try {
				Thread.sleep(PATIENCE);
			} catch (InterruptedException sooner) {
				// Then sooner.
			}
			Runtime.getRuntime().halt(code);
		});
		patience.setDaemon(true);
		patience.start();
		System.exit(code);
	}

	private static int concurrency() {
		String given = env("FUNC_CONCURRENCY", "");
		return given.matches("[1-9]\\d{0,5}") ? Integer.parseInt(given) : CONCURRENCY;
	}

	private static String env(String name, String otherwise) {
		String value = System.getenv(name);
		return value == null || value.trim().isEmpty() ? otherwise : value.trim();
	}
}
