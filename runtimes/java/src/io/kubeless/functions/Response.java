package io.kubeless.functions;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A result with a status and headers. Its body is any value that a handler may return. */
public class Response {
	private int status;
	private Object body;
	private final List<String> headers = new ArrayList<>(4);

	public Response(int status) {
		this(status, null);
	}

	public Response(int status, Object body) {
		this.status = status;
		this.body = body;
	}

	/** Adds a header, and keeps others of the same name. */
	public Response header(String name, String value) {
		headers.add(name);
		headers.add(value);
		return this;
	}

	public Response status(int status) {
		this.status = status;
		return this;
	}

	public Response body(Object body) {
		this.body = body;
		return this;
	}

	public int getStatus() {
		return status;
	}

	public Object getBody() {
		return body;
	}

	/** Returns name, value, name, value … */
	public List<String> getHeaders() {
		return Collections.unmodifiableList(headers);
	}
}
