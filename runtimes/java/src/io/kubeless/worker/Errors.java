package io.kubeless.worker;

import java.util.List;

/**
 * Makes `error` and `failed` frames. Lengths are bounded, and the worker's own stack frames are cut
 * off.
 */
final class Errors {
	private static final int MAX_MESSAGE_CHARS = 4096;
	private static final int MAX_STACK_CHARS = 16 * 1024;
	/** causes and suppressed exceptions of one error */
	private static final int MAX_EXCEPTIONS = 10;

	private Errors() {}

	/** Returns the `error` frame of a call, written into `frame`. */
	static Frame error(Frame frame, Call call, Throwable error) {
		frame.ascii("{\"type\":\"error\",\"id\":").number(call.id);
		boolean interrupted = error instanceof InterruptedException && call.isCancelled();
		if (error instanceof CallError || interrupted) {
			frame.ascii(",\"code\":").quoted(interrupted ? "CANCELLED" : ((CallError) error).code);
			frame.ascii(",\"message\":").quoted(shortened(String.valueOf(error.getMessage()), MAX_MESSAGE_CHARS));
		} else {
			frame.ascii(",\"message\":").quoted(messageOf(error)).ascii(",\"stack\":").quoted(stackOf(error));
		}
		return frame.ascii("}\n");
	}

	/**
	 * Returns a `failed` frame.
	 *
	 * @param stack may be null
	 * @param handlers the names of the function's handlers, for HANDLER_NOT_FOUND; otherwise null
	 */
	static Frame failed(String code, String message, String stack, List<String> handlers) {
		Frame frame = new Frame().ascii("{\"type\":\"failed\",\"code\":").quoted(code);
		frame.ascii(",\"message\":").quoted(shortened(message, MAX_MESSAGE_CHARS));
		if (stack != null) frame.ascii(",\"stack\":").quoted(stack);
		if (handlers != null) {
			frame.ascii(",\"handlers\":[");
			for (int i = 0; i < handlers.size(); i++) frame.ascii(i > 0 ? "," : "").quoted(handlers.get(i));
			frame.ascii("]");
		}
		return frame.ascii("}\n");
	}

	/**
	 * Ends the process after a fault of the worker, even if the stack cannot be printed: without its
	 * reader, a worker would neither answer nor notice the end of the loader.
	 */
	static void end(Throwable ours) {
		try {
			Output.raw(stackOf(ours));
		} finally {
			Runtime.getRuntime().halt(70);
		}
	}

	/** Returns class and message: `java.lang.IllegalStateException: no such user`. */
	static String messageOf(Throwable error) {
		String text;
		try {
			text = error.toString();
		} catch (Throwable second) { // a function's own toString() may throw
			text = error.getClass().getName() + " (its toString() threw " + second.getClass().getName() + ")";
		}
		return shortened(text, MAX_MESSAGE_CHARS);
	}

	/** Returns the stack as Java prints it, with causes and suppressed exceptions. */
	static String stackOf(Throwable error) {
		StringBuilder text = new StringBuilder();
		append(text, error, "", "", 0);
		return shortened(text.toString(), MAX_STACK_CHARS);
	}

	/**
	 * Appends one exception and those it carries, to a bounded depth: a cause may be its own cause.
	 *
	 * @param count exceptions appended so far
	 * @return exceptions appended, this one included
	 */
	private static int append(StringBuilder text, Throwable error, String indent, String title, int count) {
		if (count == MAX_EXCEPTIONS || text.length() > MAX_STACK_CHARS) return count;
		text.append(indent).append(title).append(messageOf(error)).append('\n');
		StackTraceElement[] trace = error.getStackTrace();
		int end = functionsPart(trace);
		for (int at = 0; at < end && text.length() < MAX_STACK_CHARS; at++) {
			text.append(indent).append("\tat ").append(trace[at]).append('\n');
		}
		int appended = count + 1;
		for (Throwable suppressed : error.getSuppressed()) {
			appended = append(text, suppressed, indent + "\t", "Suppressed: ", appended);
		}
		return error.getCause() == null ? appended : append(text, error.getCause(), indent, "Caused by: ", appended);
	}

	/**
	 * Returns where the worker's frames begin, which are the outermost, with those of reflection
	 * before them.
	 */
	private static int functionsPart(StackTraceElement[] trace) {
		int end = trace.length;
		while (end > 0 && isWorkers(trace[end - 1].getClassName())) end--;
		return end == 0 ? trace.length : end;
	}

	private static boolean isWorkers(String name) {
		return name.startsWith("io.kubeless.worker.") || name.startsWith("java.lang.reflect.")
				|| name.startsWith("jdk.internal.reflect.") || name.startsWith("sun.reflect.")
				|| name.equals("java.lang.Thread") || name.startsWith("java.lang.invoke.");
	}

	/**
	 * Returns the text, or its beginning and its end: the error's class is in the first, its origin in
	 * the second.
	 */
	static String shortened(String text, int limit) {
		if (text.length() <= limit) return text;
		String cut = "\n  … " + (text.length() - limit) + " characters …\n";
		return text.substring(0, limit * 3 / 4) + cut + text.substring(text.length() - limit / 4);
	}
}
