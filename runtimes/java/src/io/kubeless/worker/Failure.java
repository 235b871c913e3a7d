package io.kubeless.worker;

import java.util.List;

/** What went wrong, as `error` and `failed` frames carry it: bounded, and with our own frames cut off. */
final class Failure {
	private static final int MESSAGE_MAX = 4096; // characters
	private static final int STACK_MAX = 16 * 1024;
	private static final int CAUSES_MAX = 10;

	private Failure() {}

	static Frame error(Frame frame, Call call, Throwable error) {
		frame.ascii("{\"type\":\"error\",\"id\":").number(call.id);
		boolean interrupted = error instanceof InterruptedException && call.isCancelled();
		if (error instanceof Fault || interrupted) {
			frame.ascii(",\"code\":").quoted(interrupted ? "CANCELLED" : ((Fault) error).code);
			frame.ascii(",\"message\":").quoted(shortened(String.valueOf(error.getMessage()), MESSAGE_MAX));
		} else {
			frame.ascii(",\"message\":").quoted(messageOf(error)).ascii(",\"stack\":").quoted(stackOf(error));
		}
		return frame.ascii("}\n");
	}

	/** @param handlers names there are, with HANDLER_NOT_FOUND */
	static Frame failed(String code, String message, String stack, List<String> handlers) {
		Frame frame = new Frame().ascii("{\"type\":\"failed\",\"code\":").quoted(code);
		frame.ascii(",\"message\":").quoted(shortened(message, MESSAGE_MAX));
		if (stack != null) frame.ascii(",\"stack\":").quoted(stack);
		if (handlers != null) {
			frame.ascii(",\"handlers\":[");
			for (int i = 0; i < handlers.size(); i++) frame.ascii(i > 0 ? "," : "").quoted(handlers.get(i));
			frame.ascii("]");
		}
		return frame.ascii("}\n");
	}

	/** `java.lang.IllegalStateException: no such user` */
	static String messageOf(Throwable error) {
		String text;
		try {
			text = error.toString();
		} catch (Throwable second) { // a function's own toString() may do anything
			text = error.getClass().getName() + " (its text cannot be had: toString() threw " + second.getClass().getName() + ")";
		}
		return shortened(text, MESSAGE_MAX);
	}

	static String stackOf(Throwable error) {
		StringBuilder text = new StringBuilder();
		Throwable one = error;
		for (int i = 0; one != null && i < CAUSES_MAX; i++) {
			text.append(i == 0 ? "" : "Caused by: ").append(messageOf(one)).append('\n');
			StackTraceElement[] trace = one.getStackTrace();
			int end = usersPart(trace);
			for (int at = 0; at < end && text.length() < STACK_MAX; at++) text.append("\tat ").append(trace[at]).append('\n');
			one = one.getCause();
		}
		return shortened(text.toString(), STACK_MAX);
	}

	/** Where our own frames begin, which are the outermost, and those of reflection before them. */
	private static int usersPart(StackTraceElement[] trace) {
		int end = trace.length;
		while (end > 0 && isOurs(trace[end - 1].getClassName())) end--;
		return end == 0 ? trace.length : end;
	}

	private static boolean isOurs(String name) {
		return name.startsWith("io.kubeless.worker.") || name.startsWith("java.lang.reflect.") || name.startsWith("jdk.internal.reflect.")
				|| name.startsWith("sun.reflect.") || name.equals("java.lang.Thread") || name.startsWith("java.lang.invoke.")
				|| name.startsWith("java.lang.VirtualThread");
	}

	/** The start tells what it is, the end where it came from; what is too much goes from between. */
	static String shortened(String text, int limit) {
		if (text.length() <= limit) return text;
		String cut = "\n  … " + (text.length() - limit) + " characters …\n";
		return text.substring(0, limit * 3 / 4) + cut + text.substring(text.length() - limit / 4);
	}
}
