package io.kubeless.worker;

import io.kubeless.Event;
import io.kubeless.Request;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;

/** A call as its handler sees it; what lies behind it is made when it is asked for. */
final class CallEvent extends Event {
	private static final byte[] NOTHING = {};

	private final Call call;
	private Request request;

	CallEvent(Call call) {
		super(textOf(call.body), call.eventId, call.eventType, call.eventTime, call.eventNamespace);
		this.call = call;
	}

	private static String textOf(byte[] body) {
		return body == null || body.length == 0 ? "" : new String(body, StandardCharsets.UTF_8);
	}

	@Override
	public byte[] getBytes() {
		return call.body == null ? NOTHING : call.body;
	}

	@Override
	public Map<String, String> getExtensions() {
		return call.extensions == null ? Collections.emptyMap() : call.extensions;
	}

	@Override
	public synchronized Request getRequest() {
		if (request == null) request = new Request(call.method, call.path, call.query, call.head);
		return request;
	}
}
