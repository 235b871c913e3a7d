package io.kubeless;

import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Streams: each item is sent when it is made. While the caller reads slowly, the worker waits
 * before it takes the next.
 */
public class stream {
	public Stream<String> stream(Event event, Context context) {
		return IntStream.range(0, 10).mapToObj(count -> {
			if (count > 0) pause();
			return count + "\n";
		});
	}

	private static void pause() {
		try {
			Thread.sleep(100);
		} catch (InterruptedException gone) {
			throw new IllegalStateException("the caller has disconnected", gone);
		}
	}
}
