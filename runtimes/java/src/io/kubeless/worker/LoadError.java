package io.kubeless.worker;

import java.util.List;

/**
 * A function that has no such handler. Becomes a `failed` frame with code HANDLER_NOT_FOUND
 * (PROTOCOL 3.2).
 */
final class LoadError extends Exception {
	private static final long serialVersionUID = 1;
	/** names of the handlers that the function has */
	final transient List<String> handlers;

	LoadError(String message, List<String> handlers) {
		super(message, null, false, false);
		this.handlers = handlers;
	}
}
