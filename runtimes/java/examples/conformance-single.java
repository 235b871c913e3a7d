package io.kubeless;

/** The only handler of its file: a worker finds it without being told its name. No class is called like this file, and none has to be. */
class Single {
	public String single(Event event, Context context) {
		return "the only one";
	}
}
