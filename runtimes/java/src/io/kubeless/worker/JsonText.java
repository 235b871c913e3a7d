package io.kubeless.worker;

import java.lang.reflect.Array;
import java.util.Map;

/** Maps, lists, arrays, texts, numbers and booleans as JSON. Other objects are for a library of the function's own. */
final class JsonText {
	/** more than this is a structure that contains itself */
	private static final int DEEPEST = 500;

	private final StringBuilder text = new StringBuilder();

	private JsonText() {}

	static String of(Object value) throws Fault {
		JsonText json = new JsonText();
		json.value(value, 0);
		return json.text.toString();
	}

	private void value(Object value, int depth) throws Fault {
		if (depth > DEEPEST) throw invalid("a structure nested deeper than " + DEEPEST + ", or within itself");
		if (value == null || value instanceof Boolean) {
			text.append(value);
		} else if (value instanceof Number) {
			number((Number) value);
		} else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) {
			string(value.toString());
		} else if (value instanceof Map) {
			char before = '{';
			for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
				text.append(before);
				string(String.valueOf(entry.getKey()));
				text.append(':');
				value(entry.getValue(), depth + 1);
				before = ',';
			}
			text.append(before == '{' ? "{}" : "}");
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
			throw invalid(Pieces.nameOf(value));
		}
	}

	private void number(Number number) throws Fault {
		double value = number.doubleValue();
		boolean floating = number instanceof Double || number instanceof Float;
		if (floating && (Double.isNaN(value) || Double.isInfinite(value))) throw invalid("the number " + number);
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

	private static Fault invalid(String what) {
		return new Fault("RESULT_INVALID", "the handler returned " + what + ", which has no JSON form: make text of it");
	}
}
