package io.kubeless.worker;

import io.kubeless.Event;
import io.kubeless.functions.Request;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;

/** The event of a call. Makes the request when it is first asked for. */
final class CallEvent extends Event {
	private static final byte[] NOTHING = {};
	private static final char BYTE_ORDER_MARK = '\ufeff';

	private final Call call;
	private Request request;

	CallEvent(Call call) {
		super(textOf(call), call.eventId, call.eventType, call.eventTime, call.eventNamespace);
		this.call = call;
	}

	/**
	 * Returns the body as text. A byte order mark before JSON is left out: JSON libraries refuse it in
	 * a String.
	 */
	private static String textOf(Call call) {
		if (call.data == null || call.data.length == 0) return "";
		String text = new String(call.data, StandardCharsets.UTF_8);
		return call.json && !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK ? text.substring(1) : text;
	}

	@Override
	public byte[] getBytes() {
		return call.data == null ? NOTHING : call.data;
	}

	@Override
	public Map<String, String> getExtensions() {
		return call.extensions == null ? Collections.emptyMap() : call.extensions;
	}

	@Override
	public synchronized Request getRequest() {
		if (request == null) request = new Request(call.method, call.path, call.query, call.address, call.head, call.body == null ? NOTHING : call.body);
		return request;
	}
}
