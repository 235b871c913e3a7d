package io.kubeless.worker;

/** A call that ends in an error of ours, not of the function's: the code says which (PROTOCOL 4.6), a sentence says why. */
final class Fault extends Exception {
	private static final long serialVersionUID = 1;
	final String code;

	Fault(String code, String message) {
		super(message, null, false, false);
		this.code = code;
	}
}
