package io.kubeless.worker;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads JSON text in UTF-8 without making objects of what the worker does not use. Each method
 * expects its part at the current position, and moves behind it.
 */
final class JsonScanner {
	/** Frequent values, for which no new String is made. */
	private static final Words COMMON = new Words("call", "GET", "POST", "/", "127.0.0.1", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS",
			"application/json", "cancel", "pause", "resume", "stop");

	private final byte[] text;
	private final int end;
	private int at;

	/** Text that is not the expected JSON: what is wrong, and at which byte. */
	static final class Malformed extends Exception {
		private static final long serialVersionUID = 1;

		Malformed(String what, int at) {
			super(what + " at byte " + at, null, false, false);
		}
	}

	/** Reads text[start..end). */
	JsonScanner(byte[] text, int start, int end) {
		this.text = text;
		this.at = start;
		this.end = end;
	}

	// ---- objects and arrays

	/** Enters an object. Returns false if it is empty. */
	boolean object() throws Malformed {
		space();
		if (peek() != '{') throw malformed("no object");
		return opens('}');
	}

	/** After a member of an object: returns false at the end of the object. */
	boolean nextMember() throws Malformed {
		return continues('}');
	}

	/** Moves to a member's value. Returns its name, or an empty String if `names` lacks it. */
	String member(Words names) throws Malformed {
		int start = at + 1;
		String found = names.find(text, start, name());
		return found == null ? "" : found;
	}

	/** Returns an object whose values are all strings. */
	Map<String, String> strings() throws Malformed {
		Map<String, String> found = new HashMap<>();
		for (boolean more = object(); more; more = nextMember()) {
			int start = at + 1;
			String name = decoded(start, name());
			found.put(name, string());
		}
		return found;
	}

	/** Throws Malformed if more than white space follows. */
	void end() throws Malformed {
		space();
		if (at < end) throw malformed("text after the object");
	}

	/** Enters an object or array. Returns false if it is empty. */
	private boolean opens(char close) throws Malformed {
		at++;
		space();
		if (peek() != close) return true;
		at++;
		return false;
	}

	/** After a member: returns false at the end of the object or array. */
	private boolean continues(char close) throws Malformed {
		space();
		int c = peek();
		if (c != close && c != ',') throw malformed("no , or " + close);
		at++;
		space();
		return c == ',';
	}

	/** A member's name, and its colon. Returns where the name ends. */
	private int name() throws Malformed {
		skipString();
		int stop = at - 1;
		space();
		if (peek() != ':') throw malformed("no :");
		at++;
		space();
		return stop;
	}

	/** Skips a value of any type. */
	void skip() throws Malformed {
		switch (peek()) {
			case '{':
				for (boolean more = opens('}'); more; more = continues('}')) {
					name();
					skip();
				}
				break;
			case '[':
				for (boolean more = opens(']'); more; more = continues(']')) skip();
				break;
			case '"':
				skipString();
				break;
			case 't':
				word("true");
				break;
			case 'f':
				word("false");
				break;
			case 'n':
				word("null");
				break;
			default:
				number();
		}
	}

	// ---- strings

	String string() throws Malformed {
		int start = at + 1;
		skipString();
		return decoded(start, at - 1);
	}

	private String decoded(int start, int stop) {
		String common = COMMON.find(text, start, stop);
		if (common != null) return common;
		int plain = start;
		while (plain < stop && text[plain] != '\\') plain++;
		String raw = new String(text, start, stop - start, StandardCharsets.UTF_8);
		return plain == stop ? raw : unescaped(raw);
	}

	private static String unescaped(String raw) {
		StringBuilder result = new StringBuilder(raw.length());
		for (int i = 0; i < raw.length(); i++) {
			char c = raw.charAt(i);
			if (c == '\\') {
				c = raw.charAt(++i);
				int control = "bfnrt".indexOf(c);
				if (control >= 0) c = "\b\f\n\r\t".charAt(control);
				if (c == 'u') {
					c = (char) Integer.parseInt(raw.substring(i + 1, i + 5), 16);
					i += 4;
				}
			}
			result.append(c);
		}
		return result.toString();
	}

	private void skipString() throws Malformed {
		if (peek() != '"') throw malformed("no \"");
		at++;
		for (int c = peek(); c != '"'; c = peek()) {
			if (c >= 0 && c < ' ') throw malformed("a raw control character");
			at++;
			if (c == '\\') escape();
		}
		at++;
	}

	private void escape() throws Malformed {
		int kind = peek();
		if ("\"\\/bfnrtu".indexOf(kind) < 0) throw malformed("an escape that JSON does not have");
		at++;
		for (int digits = kind == 'u' ? 4 : 0; digits > 0; digits--) {
			if (Character.digit(peek(), 16) < 0) throw malformed("\\u without four hexadecimal digits");
			at++;
		}
	}

	// ---- numbers and words

	/** Returns a count (PROTOCOL, Words). Throws Malformed if it is above `max`. */
	long count(long max) throws Malformed {
		int start = at;
		number();
		long value = 0;
		for (int i = start; i < at; i++) {
			int digit = text[i] - '0';
			if (digit < 0 || digit > 9 || (value = value * 10 + digit) > max) throw new Malformed("no count", start);
		}
		return value;
	}

	/** Skips a value. Returns true if it is `true`. */
	boolean isTrue() throws Malformed {
		boolean result = peek() == 't';
		skip();
		return result;
	}

	private void number() throws Malformed {
		if (peek() == '-') at++;
		if (at < end && text[at] == '0') at++;
		else digits();
		if (at < end && text[at] == '.') {
			at++;
			digits();
		}
		if (at < end && (text[at] | 32) == 'e') {
			at++;
			if (at < end && (text[at] == '+' || text[at] == '-')) at++;
			digits();
		}
	}

	private void digits() throws Malformed {
		int start = at;
		while (at < end && text[at] >= '0' && text[at] <= '9') at++;
		if (at == start) throw malformed("no value");
	}

	private void word(String word) throws Malformed {
		for (int i = 0; i < word.length(); i++, at++) {
			if (peek() != word.charAt(i)) throw malformed("no value");
		}
	}

	private void space() {
		while (at < end && (text[at] == ' ' || text[at] == '\r' || text[at] == '\t')) at++;
	}

	private int peek() throws Malformed {
		if (at >= end) throw malformed("the end of the line");
		return text[at];
	}

	Malformed malformed(String what) {
		return new Malformed(what, at);
	}
}
