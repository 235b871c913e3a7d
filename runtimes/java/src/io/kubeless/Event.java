package io.kubeless;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;

/** What a function is called with. The fields have the names that functions for Kubeless know; what is absent is "". */
public class Event {
	/** the body as text; its bytes are in {@link #getBytes()} */
	public String Data;
	public String EventID;
	public String EventType;
	public String EventTime;
	public String EventNamespace;

	public Event(String data, String eventId, String eventType, String eventTime, String eventNamespace) {
		Data = data;
		EventID = eventId;
		EventType = eventType;
		EventTime = eventTime;
		EventNamespace = eventNamespace;
	}

	public String getData() {
		return Data;
	}

	public String getEventId() {
		return EventID;
	}

	public String getEventType() {
		return EventType;
	}

	public String getEventTime() {
		return EventTime;
	}

	public String getEventNamespace() {
		return EventNamespace;
	}

	/** The body, byte for byte. */
	public byte[] getBytes() {
		return Data == null ? new byte[0] : Data.getBytes(StandardCharsets.UTF_8);
	}

	/** The attributes of a CloudEvent, by name. */
	public Map<String, String> getExtensions() {
		return Collections.emptyMap();
	}

	public Request getRequest() {
		return new Request("GET", "/", null, new byte[0]);
	}
}
