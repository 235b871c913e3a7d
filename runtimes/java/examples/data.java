package io.kubeless;

/** Gives back what it was sent; `event.Data` has it as text. */
public class data {
	public byte[] data(Event event, Context context) {
		return event.getBytes();
	}
}
