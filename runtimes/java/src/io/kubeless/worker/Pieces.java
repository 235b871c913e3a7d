package io.kubeless.worker;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.BaseStream;

/** The body of an answer: what kind of value it is, as bytes at hand or, in pieces, as they are made. */
abstract class Pieces implements AutoCloseable {
	private static final int PIECE = 64 * 1024; // bytes

	/** The next piece; null at the end. */
	abstract byte[] next() throws Exception;

	@Override
	public void close() {}

	static boolean isStream(Object value) {
		return value instanceof InputStream || value instanceof Iterator || value instanceof BaseStream
				|| value instanceof Iterable && !(value instanceof Collection);
	}

	/** The header that says what the value is, where that is beyond doubt. */
	static String typeOf(Object value) {
		if (value instanceof byte[] || value instanceof ByteBuffer) return "Content-Type: application/octet-stream\r\n";
		return isJson(value) ? "Content-Type: application/json\r\n" : "";
	}

	private static boolean isJson(Object value) {
		return value instanceof Map || value instanceof Collection || value instanceof Object[] || value instanceof Number
				|| value instanceof Boolean;
	}

	/** Bytes of a value that is at hand. */
	static byte[] bytesOf(Object value) throws Fault {
		if (value instanceof byte[]) return (byte[]) value;
		if (value instanceof CharSequence || value instanceof Character) return value.toString().getBytes(StandardCharsets.UTF_8);
		if (value instanceof ByteBuffer) {
			ByteBuffer buffer = ((ByteBuffer) value).duplicate();
			byte[] bytes = new byte[buffer.remaining()];
			buffer.get(bytes);
			return bytes;
		}
		if (isJson(value)) return JsonText.of(value).getBytes(StandardCharsets.UTF_8);
		throw new Fault("RESULT_INVALID", "the handler returned " + nameOf(value) + ", which cannot be sent: return String, byte[], "
				+ "ByteBuffer, Map, Collection, a number, a boolean, null, io.kubeless.Response, an InputStream, an Iterator, Iterable or "
				+ "Stream of these, or a CompletionStage or Future of any of them");
	}

	static String nameOf(Object value) {
		return "an object of class " + value.getClass().getName();
	}

	static Pieces of(Object value) {
		if (value instanceof InputStream) return new OfInput((InputStream) value);
		if (value instanceof byte[]) return new OfItems(Collections.singleton(value).iterator(), value);
		if (value instanceof BaseStream) return new OfItems(((BaseStream<?, ?>) value).iterator(), value);
		return new OfItems(value instanceof Iterator ? (Iterator<?>) value : ((Iterable<?>) value).iterator(), value);
	}

	private static void closeQuietly(Object source) {
		try {
			if (source instanceof AutoCloseable) ((AutoCloseable) source).close();
		} catch (Throwable error) {
			// The call is over, and has no place for what goes wrong in here.
		}
	}

	private static final class OfInput extends Pieces {
		private final InputStream input;
		private final byte[] buffer = new byte[PIECE];

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

	private static final class OfItems extends Pieces {
		private final Iterator<?> items;
		private final Object source;

		OfItems(Iterator<?> items, Object source) {
			this.items = items;
			this.source = source;
		}

		@Override
		byte[] next() throws Fault {
			if (!items.hasNext()) return null;
			Object item = items.next();
			if (item == null || isStream(item)) {
				throw new Fault("RESULT_INVALID", "the handler streamed " + (item == null ? "null" : nameOf(item)) + ", which cannot be sent");
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
