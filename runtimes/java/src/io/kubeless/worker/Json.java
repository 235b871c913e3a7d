package io.kubeless.worker;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/** Strict JSON (RFC 8259), checked without building anything from it. However deep it is nested, it takes no stack. */
final class Json {
	private Json() {}

	/** Says what is wrong with a text, and at which byte. */
	static final class Malformed extends Exception {
		private static final long serialVersionUID = 1;

		Malformed(String what, int at) {
			super(what + " at byte " + at, null, false, false);
		}
	}

	/** A whole text: one value, nothing after it, all of it UTF-8. `decoded` is the same text as a String. */
	static void check(byte[] text, String decoded) throws Malformed {
		int end = space(text, skip(text, space(text, 0, text.length), text.length), text.length);
		if (end < text.length) throw new Malformed("something follows the JSON value", end);
		// Decoding puts this character for what is not UTF-8, so only a text that has one needs the look.
		if (decoded.indexOf('\ufffd') >= 0) {
			try {
				StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
			} catch (CharacterCodingException error) {
				throw new Malformed("the text is not UTF-8", 0);
			}
		}
	}

	/** Where the value that begins at a place ends. */
	static int skip(byte[] text, int from, int end) throws Malformed {
		BitSet objects = null; // a bit a level: whether it is an object
		int depth = 0;
		int at = from;
		for (;;) {
			int c = peek(text, at, end);
			if (c == '{' || c == '[') {
				boolean object = c == '{';
				at = space(text, at + 1, end);
				if (peek(text, at, end) == (object ? '}' : ']')) {
					at++;
				} else {
					if (objects == null) objects = new BitSet();
					objects.set(depth++, object);
					if (object) at = name(text, at, end);
					continue;
				}
			} else if (c == '"') {
				at = string(text, at, end);
			} else if (c == 't') {
				at = word("true", text, at, end);
			} else if (c == 'f') {
				at = word("false", text, at, end);
			} else if (c == 'n') {
				at = word("null", text, at, end);
			} else {
				at = number(text, at, end);
			}
			// A value has ended, and with it perhaps what it stands in.
			for (;;) {
				if (depth == 0) return at;
				boolean object = objects.get(depth - 1);
				at = space(text, at, end);
				c = peek(text, at, end);
				if (c == ',') {
					at = space(text, at + 1, end);
					if (object) at = name(text, at, end);
					break;
				}
				if (c != (object ? '}' : ']')) throw new Malformed(object ? "no , or }" : "no , or ]", at);
				at++;
				depth--;
			}
		}
	}

	/** Where the string that begins with the quote at `from` ends. */
	static int string(byte[] text, int from, int end) throws Malformed {
		if (peek(text, from, end) != '"') throw new Malformed("no \"", from);
		for (int at = from + 1; at < end; at++) {
			int c = text[at];
			if (c == '"') return at + 1;
			if (c >= 0 && c < ' ') throw new Malformed("a raw control character", at);
			if (c != '\\') continue;
			int kind = peek(text, ++at, end);
			if (kind == 'u') {
				for (int digit = 0; digit < 4; digit++) {
					if (hex(peek(text, ++at, end)) < 0) throw new Malformed("\\u without four hexadecimal digits", at);
				}
			} else if ("\"\\/bfnrt".indexOf(kind) < 0) {
				throw new Malformed("an escape that JSON does not have", at);
			}
		}
		throw new Malformed("the text ends within a string", end);
	}

	/** A member's name and its colon. */
	static int name(byte[] text, int from, int end) throws Malformed {
		int at = space(text, string(text, from, end), end);
		if (peek(text, at, end) != ':') throw new Malformed("no :", at);
		return space(text, at + 1, end);
	}

	static int number(byte[] text, int from, int end) throws Malformed {
		int at = from;
		if (peek(text, at, end) == '-') at++;
		if (at < end && text[at] == '0') at++;
		else at = digits(text, at, end);
		if (at < end && text[at] == '.') at = digits(text, at + 1, end);
		if (at < end && (text[at] | 32) == 'e') {
			at++;
			if (at < end && (text[at] == '+' || text[at] == '-')) at++;
			at = digits(text, at, end);
		}
		return at;
	}

	private static int digits(byte[] text, int from, int end) throws Malformed {
		int at = from;
		while (at < end && text[at] >= '0' && text[at] <= '9') at++;
		if (at == from) throw new Malformed(at < end ? "no value" : "the text ends", at);
		return at;
	}

	private static int word(String word, byte[] text, int from, int end) throws Malformed {
		for (int i = 0; i < word.length(); i++) {
			if (peek(text, from + i, end) != word.charAt(i)) throw new Malformed("no value", from);
		}
		return from + word.length();
	}

	static int space(byte[] text, int from, int end) {
		int at = from;
		while (at < end && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) at++;
		return at;
	}

	static int peek(byte[] text, int at, int end) throws Malformed {
		if (at >= end) throw new Malformed("the text ends", end);
		return text[at];
	}

	static int hex(int c) {
		return Character.digit(c, 16);
	}
}
