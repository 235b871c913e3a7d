package example;

import io.kubeless.Context;
import io.kubeless.Event;

/** Returns the request's body. `event.getData()` has it as text. */
public class data {
	public byte[] data(Event event, Context context) {
		return event.getBytes();
	}
}
