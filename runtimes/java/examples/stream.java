package io.kubeless;

import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Each piece is sent as it is made; while the caller reads slower, no more are made. */
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
			throw new IllegalStateException("the caller has gone", gone);
		}
	}
}
