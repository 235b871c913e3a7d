package io.kubeless;

import io.kubeless.functions.Response;
import java.util.Collections;

/** A status, headers, and a body that is sent as JSON. */
public class response {
	public Response response(Event event, Context context) {
		String name = event.getRequest().getParameter("name");
		if (name == null) return new Response(400, "Who are you? Add ?name=...\n");
		return new Response(201, Collections.singletonMap("hello", name)).header("X-Greeted", name);
	}
}
