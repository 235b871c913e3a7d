package io.kubeless;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The HTTP request behind an event. Headers and parameters are taken apart when they are first asked for. */
public class Request {
	private final String method;
	private final String path;
	private final String query;
	private final byte[] head;
	private Map<String, List<String>> headers;
	private Map<String, List<String>> parameters;

	/** @param head header lines, `Name: value\r\n` each, in ISO-8859-1 */
	public Request(String method, String path, String query, byte[] head) {
		this.method = method;
		this.path = path;
		this.query = query;
		this.head = head;
	}

	public String getMethod() {
		return method;
	}

	/** As it was received, %-escapes and all. */
	public String getPath() {
		return path;
	}

	/** Without the question mark; null where there was none. */
	public String getQuery() {
		return query;
	}

	/** The first value that the query gives a name; null where it has none. */
	public String getParameter(String name) {
		return first(getParameters().get(name));
	}

	public synchronized Map<String, List<String>> getParameters() {
		if (parameters == null) {
			Map<String, List<String>> found = new LinkedHashMap<>();
			for (String pair : query == null ? new String[0] : query.split("&")) {
				if (pair.isEmpty()) continue;
				int equals = pair.indexOf('=');
				String name = decoded(equals < 0 ? pair : pair.substring(0, equals));
				add(found, name, equals < 0 ? "" : decoded(pair.substring(equals + 1)));
			}
			parameters = Collections.unmodifiableMap(found);
		}
		return parameters;
	}

	/** The first header of this name, in whatever case; null where there is none. */
	public String getHeader(String name) {
		return first(getHeaders().get(name));
	}

	/** All headers; their names are found in whatever case. */
	public synchronized Map<String, List<String>> getHeaders() {
		if (headers == null) {
			Map<String, List<String>> found = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
			for (String line : new String(head, StandardCharsets.ISO_8859_1).split("\r\n")) {
				int colon = line.indexOf(':');
				if (colon > 0) add(found, line.substring(0, colon), line.substring(colon + 1).trim());
			}
			headers = Collections.unmodifiableMap(found);
		}
		return headers;
	}

	private static void add(Map<String, List<String>> map, String name, String value) {
		map.computeIfAbsent(name, key -> new ArrayList<>(1)).add(value);
	}

	private static String first(List<String> values) {
		return values == null ? null : values.get(0);
	}

	/** What is no escape stays as it is: URLDecoder would refuse the whole query. */
	private static String decoded(String text) {
		if (text.indexOf('%') < 0) return text.replace('+', ' ');
		byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
		int length = 0;
		for (int at = 0; at < bytes.length; at++) {
			int high = bytes[at] == '%' && at + 2 < bytes.length ? Character.digit(bytes[at + 1], 16) : -1;
			int low = high < 0 ? -1 : Character.digit(bytes[at + 2], 16);
			if (low < 0) {
				bytes[length++] = bytes[at] == '+' ? (byte) ' ' : bytes[at];
			} else {
				bytes[length++] = (byte) (high << 4 | low);
				at += 2;
			}
		}
		return new String(bytes, 0, length, StandardCharsets.UTF_8);
	}
}
