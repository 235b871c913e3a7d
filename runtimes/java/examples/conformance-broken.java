package io.kubeless;

/**
 * A file that cannot be loaded: its line 17, which is the same in every language, is not Java.
 *
 * The worker's error message must name this file and that line.
 */
class Broken {
	public String echoes(Event event, Context context) {
		return event.Data;
	}

	public String raises(Event event, Context context) {
		throw new IllegalArgumentException(event.Data);
	}

	this line is not Java
}
