package example;

import io.kubeless.Context;
import io.kubeless.Event;

public class hello {
	public String hello(Event event, Context context) {
		return "hello world";
	}
}
