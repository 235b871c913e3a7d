package io.kubeless.functions;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The HTTP request of an event.
 *
 * Not in the package of Event: there it would hide the Request that a function imports by a
 * wildcard from another package.
 */
public class Request {
	private final String method;
	private final String path;
	private final String query;
	private final String address;
	private final byte[] head;
	private final byte[] body;
	private Map<String, List<String>> headers;
	private Map<String, List<String>> parameters;

	/**
	 * @param path undecoded
	 * @param query without the question mark; may be null
	 * @param address the caller's IP address; may be null
	 * @param head header lines, `Name: value\r\n` each, in ISO-8859-1
	 * @param body empty if the request has no body
	 */
	public Request(String method, String path, String query, String address, byte[] head, byte[] body) {
		this.method = method;
		this.path = path;
		this.query = query;
		this.address = address;
		this.head = head;
		this.body = body;
	}

	public String getMethod() {
		return method;
	}

	/** Returns the path as received, with its %-escapes. */
	public String getPath() {
		return path;
	}

	/** Returns the query without the question mark; null if the request has no query. */
	public String getQuery() {
		return query;
	}

	/** Returns the body as received: of a structured CloudEvent, the whole event. */
	public byte[] getBody() {
		return body;
	}

	/** Returns the IP address that the caller's connection came from; null if it is not known. */
	public String getRemoteAddr() {
		return address;
	}

	/** Returns the first value of a query parameter; null if the query does not have it. */
	public String getParameter(String name) {
		return first(getParameters().get(name));
	}

	/** Returns the query's parameters, decoded. */
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

	/** Returns the first header of a name, in upper or lower case; null if it is absent. */
	public String getHeader(String name) {
		return first(getHeaders().get(name));
	}

	/** Returns all headers; their names are found in upper or lower case. */
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

	/** Leaves malformed escapes as they are; URLDecoder would refuse the whole query. */
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
