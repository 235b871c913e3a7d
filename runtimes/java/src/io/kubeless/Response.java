package io.kubeless;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** An answer with a status and headers; its body is whatever a handler may return. */
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

	/** Adds a header; one that is there already stays. */
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

	/** name, value, name, value … */
	public List<String> getHeaders() {
		return Collections.unmodifiableList(headers);
	}
}
