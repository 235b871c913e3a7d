package io.kubeless.worker;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Reads a frame's line: an object of known fields; what is unknown is checked and skipped (PROTOCOL 2.1, 2.2). */
final class Line {
	private static final int MAX_HEAD = 1 << 20; // bytes, PROTOCOL 2.3
	private static final int MAX_BODY = 1 << 30;
	private static final long MAX_COUNT = (1L << 53) - 1;

	private static final int TYPE = 0, ID = 1, METHOD = 2, PATH = 3, QUERY = 4, EVENT_ID = 5, EVENT_TYPE = 6, EVENT_TIME = 7;
	private static final int EVENT_NAMESPACE = 8, EXTENSIONS = 9, JSON = 10, HEAD = 11, BODY = 12;
	private static final byte[][] FIELDS = known("type", "id", "method", "path", "query", "event-id", "event-type", "event-time",
			"event-namespace", "extensions", "json", "head", "body");
	/** Values that come again and again: no new text for each. */
	private static final String[] COMMON = {"call", "GET", "POST", "/", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "application/json",
		"cancel", "pause", "resume", "stop"};
	private static final byte[][] COMMON_BYTES = known(COMMON);

	private final byte[] text;
	private final int end;
	private int at;

	private Line(byte[] text, int start, int end) {
		this.text = text;
		this.at = start;
		this.end = end;
	}

	static Call read(byte[] text, int start, int end) throws Json.Malformed {
		return new Line(text, start, end).read();
	}

	private Call read() throws Json.Malformed {
		Call call = new Call();
		at = Json.space(text, at, end);
		if (Json.peek(text, at, end) != '{') throw new Json.Malformed("no object", at);
		at = Json.space(text, at + 1, end);
		if (Json.peek(text, at, end) == '}') {
			at++;
		} else {
			do {
				member(call);
				at = Json.space(text, at, end);
			} while (more());
		}
		if (Json.space(text, at, end) < end) throw new Json.Malformed("something follows the object", at);
		if (call.type == null) throw new Json.Malformed("no type", end);
		return call;
	}

	private boolean more() throws Json.Malformed {
		int c = Json.peek(text, at++, end);
		if (c == '}') return false;
		if (c != ',') throw new Json.Malformed("no , or }", at - 1);
		at = Json.space(text, at, end);
		return true;
	}

	private void member(Call call) throws Json.Malformed {
		int nameStart = at + 1;
		int nameEnd = Json.string(text, at, end) - 1;
		at = Json.name(text, at, end);
		switch (indexOf(FIELDS, nameStart, nameEnd)) {
			case TYPE:
				call.type = string();
				break;
			case ID:
				call.id = count(MAX_COUNT);
				break;
			case METHOD:
				call.method = string();
				break;
			case PATH:
				call.path = string();
				break;
			case QUERY:
				call.query = string();
				break;
			case EVENT_ID:
				call.eventId = string();
				break;
			case EVENT_TYPE:
				call.eventType = string();
				break;
			case EVENT_TIME:
				call.eventTime = string();
				break;
			case EVENT_NAMESPACE:
				call.eventNamespace = string();
				break;
			case EXTENSIONS:
				call.extensions = strings();
				break;
			case JSON:
				call.json = Json.peek(text, at, end) == 't';
				at = Json.skip(text, at, end);
				break;
			case HEAD:
				call.headLength = (int) count(MAX_HEAD);
				break;
			case BODY:
				call.bodyLength = (int) count(MAX_BODY);
				break;
			default:
				at = Json.skip(text, at, end);
		}
	}

	private long count(long most) throws Json.Malformed {
		int start = at;
		at = Json.number(text, at, end);
		long value = 0;
		for (int i = start; i < at; i++) {
			int digit = text[i] - '0';
			if (digit < 0 || digit > 9 || (value = value * 10 + digit) > most) throw new Json.Malformed("no count", start);
		}
		return value;
	}

	private Map<String, String> strings() throws Json.Malformed {
		Map<String, String> found = new HashMap<>();
		if (Json.peek(text, at, end) != '{') throw new Json.Malformed("no object", at);
		at = Json.space(text, at + 1, end);
		if (Json.peek(text, at, end) == '}') {
			at++;
			return found;
		}
		do {
			String name = string();
			at = Json.space(text, at, end);
			if (Json.peek(text, at, end) != ':') throw new Json.Malformed("no :", at);
			at = Json.space(text, at + 1, end);
			found.put(name, string());
			at = Json.space(text, at, end);
		} while (more());
		return found;
	}

	private String string() throws Json.Malformed {
		int start = at + 1;
		at = Json.string(text, at, end);
		int stop = at - 1;
		int known = indexOf(COMMON_BYTES, start, stop);
		if (known >= 0) return COMMON[known];
		int plain = start;
		while (plain < stop && text[plain] != '\\') plain++;
		return plain == stop ? new String(text, start, stop - start, StandardCharsets.UTF_8) : unescaped(start, stop);
	}

	private String unescaped(int start, int stop) {
		String raw = new String(text, start, stop - start, StandardCharsets.UTF_8);
		StringBuilder result = new StringBuilder(raw.length());
		for (int i = 0; i < raw.length(); i++) {
			char c = raw.charAt(i);
			if (c != '\\') {
				result.append(c);
				continue;
			}
			c = raw.charAt(++i);
			if (c == 'u') {
				result.append((char) Integer.parseInt(raw.substring(i + 1, i + 5), 16));
				i += 4;
			} else {
				int control = "bfnrt".indexOf(c);
				result.append(control < 0 ? c : "\b\f\n\r\t".charAt(control));
			}
		}
		return result.toString();
	}

	private int indexOf(byte[][] words, int start, int stop) {
		int length = stop - start;
		for (int i = 0; i < words.length; i++) {
			byte[] word = words[i];
			if (word.length == length && matches(word, start)) return i;
		}
		return -1;
	}

	private boolean matches(byte[] word, int start) {
		for (int i = 0; i < word.length; i++) {
			if (text[start + i] != word[i]) return false;
		}
		return true;
	}

	private static byte[][] known(String... words) {
		byte[][] result = new byte[words.length][];
		for (int i = 0; i < words.length; i++) result[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
		return result;
	}
}
