package io.kubeless.worker;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.stream.BaseStream;

/** The body of an answer: its kind, and its bytes at once or one chunk after the other. */
abstract class Chunks implements AutoCloseable {
	private static final int READ_BYTES = 64 * 1024;

	/** Returns the next chunk; null at the end. */
	abstract byte[] next() throws Throwable;

	@Override
	public void close() {}

	static boolean isStream(Object value) {
		return value instanceof InputStream || value instanceof Iterator || value instanceof BaseStream
				|| (value instanceof Iterable && !(value instanceof Collection || value instanceof Path));
	}

	/**
	 * Returns a header line; an empty string for text, whose type only the function knows, and for a
	 * stream.
	 */
	static String contentType(Object value) {
		if (value == null || isText(value) || isStream(value)) return "";
		boolean binary = value instanceof byte[] || value instanceof ByteBuffer;
		return binary ? "Content-Type: application/octet-stream\r\n" : "Content-Type: application/json\r\n";
	}

	private static boolean isText(Object value) {
		return value instanceof CharSequence || value instanceof Character;
	}

	/**
	 * Returns the bytes of a value that is no stream: as they are, as UTF-8, or as JSON. Throws
	 * RESULT_INVALID for other values.
	 */
	static byte[] bytesOf(Object value) throws Throwable {
		if (value instanceof byte[]) return (byte[]) value;
		if (isText(value)) return value.toString().getBytes(StandardCharsets.UTF_8);
		if (value instanceof ByteBuffer) {
			ByteBuffer buffer = ((ByteBuffer) value).duplicate();
			byte[] bytes = new byte[buffer.remaining()];
			buffer.get(bytes);
			return bytes;
		}
		return Json.of(value).getBytes(StandardCharsets.UTF_8);
	}

	static Chunks of(Object value) {
		if (value instanceof InputStream) return new OfInput((InputStream) value);
		if (value instanceof byte[]) return new OfItems(Collections.singleton(value).iterator(), value);
		if (value instanceof BaseStream) return new OfItems(((BaseStream<?, ?>) value).iterator(), value);
		return new OfItems(value instanceof Iterator ? (Iterator<?>) value : ((Iterable<?>) value).iterator(), value);
	}

	private static void closeQuietly(Object source) {
		try {
			if (source instanceof AutoCloseable) ((AutoCloseable) source).close();
		} catch (Throwable ignored) {
			// The answer is complete, or failed for another reason already.
		}
	}

	private static final class OfInput extends Chunks {
		private final InputStream input;
		private final byte[] buffer = new byte[READ_BYTES];

		OfInput(InputStream input) {
			this.input = input;
		}

		@Override
		byte[] next() throws IOException {
			int count = input.read(buffer);
			return count < 0 ? null : Arrays.copyOf(buffer, count);
		}

		@Override
		public void close() {
			closeQuietly(input);
		}
	}

	private static final class OfItems extends Chunks {
		private final Iterator<?> items;
		private final Object source;

		OfItems(Iterator<?> items, Object source) {
			this.items = items;
			this.source = source;
		}

		@Override
		byte[] next() throws Throwable {
			if (!items.hasNext()) return null;
			Object item = items.next();
			if (item == null || isStream(item)) {
				throw CallError.invalidResult("a stream with an item that cannot be sent: " + (item == null ? "null" : item.getClass().getName()));
			}
			return bytesOf(item);
		}

		@Override
		public void close() {
			if (items != source) closeQuietly(items);
			closeQuietly(source);
		}
	}
}
