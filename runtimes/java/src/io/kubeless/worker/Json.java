package io.kubeless.worker;

import java.io.File;
import java.lang.reflect.Array;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Writes a value as JSON: maps, lists, arrays, text, numbers, booleans, times, records and beans.
 *
 * No library: a shared one would hide the function's own version of it, and the first local start
 * would need Maven Central.
 */
final class Json {
	/** A deeper structure most likely contains itself. */
	private static final int MAX_DEPTH = 500;

	private final StringBuilder text = new StringBuilder();

	private Json() {}

	/** Throws RESULT_INVALID if the value has no JSON form, and what a getter throws. */
	static String of(Object value) throws Throwable {
		Json json = new Json();
		json.value(value, 0);
		return json.text.toString();
	}

	private void value(Object value, int depth) throws Throwable {
		if (depth > MAX_DEPTH) throw CallError.invalidResult("a structure that contains itself, or is nested deeper than " + MAX_DEPTH);
		if (value == null || value instanceof Boolean || value instanceof AtomicBoolean) {
			text.append(value);
		} else if (value instanceof Number) {
			number((Number) value);
		} else if (value instanceof Date) {
			string(new Date(((Date) value).getTime()).toInstant().toString()); // java.sql.Date has no toInstant()
		} else if (isText(value)) {
			string(value.toString());
		} else if (value instanceof Optional) {
			value(((Optional<?>) value).orElse(null), depth + 1);
		} else if (value instanceof Map) {
			map((Map<?, ?>) value, depth);
		} else if (value instanceof Iterable) {
			char before = '[';
			for (Object item : (Iterable<?>) value) {
				text.append(before);
				value(item, depth + 1);
				before = ',';
			}
			text.append(before == '[' ? "[]" : "]");
		} else if (value.getClass().isArray()) {
			text.append('[');
			for (int i = 0; i < Array.getLength(value); i++) {
				if (i > 0) text.append(',');
				value(Array.get(value, i), depth + 1);
			}
			text.append(']');
		} else {
			object(value, depth);
		}
	}

	private static boolean isText(Object value) {
		return value instanceof CharSequence || value instanceof Character || value instanceof Enum || value instanceof UUID
				|| value instanceof URI || value instanceof URL || value instanceof Path || value instanceof File
				|| value.getClass().getName().startsWith("java.time.");
	}

	private void map(Map<?, ?> map, int depth) throws Throwable {
		char before = '{';
		for (Map.Entry<?, ?> entry : map.entrySet()) {
			text.append(before);
			string(String.valueOf(entry.getKey()));
			text.append(':');
			value(entry.getValue(), depth + 1);
			before = ',';
		}
		text.append(before == '{' ? "{}" : "}");
	}

	private void object(Object object, int depth) throws Throwable {
		Properties properties = Properties.OF.get(object.getClass());
		if (properties.isEmpty()) {
			throw CallError.invalidResult("an object of class " + object.getClass().getName() + ", which cannot be sent: return String, byte[], "
					+ "ByteBuffer, a number, a boolean, null, a Map, a Collection, a record, an object with getters, "
					+ "io.kubeless.functions.Response, an InputStream, an Iterator, Iterable or Stream, or a CompletionStage or Future of these");
		}
		char before = '{';
		for (Properties.Property property : properties) {
			text.append(before);
			string(property.name);
			text.append(':');
			value(property.get(object), depth + 1);
			before = ',';
		}
		text.append('}');
	}

	private void number(Number number) throws CallError {
		double value = number.doubleValue();
		boolean floating = number instanceof Double || number instanceof Float;
		if (floating && (Double.isNaN(value) || Double.isInfinite(value))) {
			throw CallError.invalidResult("the number " + number + ", which JSON does not have");
		}
		text.append(number);
	}

	private void string(String string) {
		text.append('"');
		for (int i = 0; i < string.length(); i++) {
			char c = string.charAt(i);
			if (c == '"' || c == '\\') text.append('\\').append(c);
			else if (c == '\n') text.append("\\n");
			else if (c < ' ' || Character.isSurrogate(c)) text.append(String.format("\\u%04x", (int) c));
			else text.append(c);
		}
		text.append('"');
	}
}
