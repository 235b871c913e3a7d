package io.kubeless;

public class hello {
	public String hello(Event event, Context context) {
		return "hello world";
	}
}
