package io.kubeless.worker;

/**
 * A call that fails for a reason of its own, not by an exception of the function. Becomes an
 * `error` frame (PROTOCOL 4.6).
 */
final class CallError extends Exception {
	private static final long serialVersionUID = 1;
	final String code;

	CallError(String code, String message) {
		super(message, null, false, false);
		this.code = code;
	}

	static CallError invalidResult(String what) {
		return new CallError("RESULT_INVALID", "the handler returned " + what);
	}
}
