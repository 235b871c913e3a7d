package io.kubeless;

import java.util.Collections;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class greet {
	private static final Pattern NAME = Pattern.compile("\"name\"\\s*:\\s*\"(\\w+)\"");

	// event.Data is the body as text. Parse it with the JSON library of your choice.
	public Map<String, String> greet(Event event, Context context) {
		Matcher name = NAME.matcher(event.Data);
		return Collections.singletonMap("hello", name.find() ? name.group(1) : null);
	}
}
