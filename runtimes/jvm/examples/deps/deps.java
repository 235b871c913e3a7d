package example;

import io.kubeless.Context;
import io.kubeless.Event;

/** Needs greeting.jar beside its own jar. */
public class deps {
	public String deps(Event event, Context context) {
		return library.greeting.to(event.getData());
	}
}
