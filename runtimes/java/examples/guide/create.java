package io.kubeless;

import io.kubeless.functions.Response;

public class create {
	public Response create(Event event, Context context) {
		return new Response(201, "created\n").header("Location", "/orders/7");
	}
}
