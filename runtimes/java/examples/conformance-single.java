package io.kubeless;

/**
 * The only handler of its file, which a worker finds without FUNC_HANDLER. The class need not be
 * called like the file.
 */
class Single {
	public String single(Event event, Context context) {
		return "the only one";
	}
}
