package io.kubeless;

/** Returns the request's body. `event.Data` has it as text. */
public class data {
	public byte[] data(Event event, Context context) {
		return event.getBytes();
	}
}
