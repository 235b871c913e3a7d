package io.kubeless.worker;

import io.kubeless.Context;
import io.kubeless.Event;
import io.kubeless.functions.Response;

/**
 * The function of the training run (train.sh): the classes that it makes the worker load go into
 * the class archive.
 */
final class Training {
	private Training() {}

	static Object handler(Event event, Context context) {
		System.out.println(event.getRequest().getHeader("Host") + event.getRequest().getParameter("x"));
		if (event.Data.isEmpty()) throw new IllegalStateException(context.functionName);
		return new Response(200, event.Data).header("Content-Type", "text/plain");
	}
}
