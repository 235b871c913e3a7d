package io.kubeless.worker;

import java.util.Arrays;

/** A buffer in which frames are put together. Reused. */
final class Frame {
	/** a larger buffer is not kept for the next frame */
	private static final int MAX_KEPT_BYTES = 1 << 20;

	byte[] bytes = new byte[512];
	int length;

	Frame clear() {
		length = 0;
		if (bytes.length > MAX_KEPT_BYTES) bytes = new byte[512];
		return this;
	}

	/** Appends text of characters up to U+00FF, one byte each. */
	@SuppressWarnings("deprecation") // deprecated because it cuts characters to bytes, which is wanted here
	Frame ascii(String text) {
		int count = text.length();
		room(count);
		text.getBytes(0, count, bytes, length);
		length += count;
		return this;
	}

	Frame bytes(byte[] from, int start, int count) {
		room(count);
		System.arraycopy(from, start, bytes, length, count);
		length += count;
		return this;
	}

	Frame bytes(byte[] from) {
		return bytes(from, 0, from.length);
	}

	Frame number(long value) {
		room(20);
		int at = length;
		long rest = value;
		do {
			bytes[at++] = (byte) ('0' + rest % 10);
			rest /= 10;
		} while (rest > 0);
		int end = at;
		for (int left = length, right = at - 1; left < right; left++, right--) {
			byte swap = bytes[left];
			bytes[left] = bytes[right];
			bytes[right] = swap;
		}
		length = end;
		return this;
	}

	/** Appends a JSON string in ASCII. An unpaired surrogate is escaped as well. */
	Frame quoted(String text) {
		int count = text.length();
		room(count * 6 + 2);
		byte[] to = bytes;
		int at = length;
		to[at++] = '"';
		for (int i = 0; i < count; i++) {
			char c = text.charAt(i);
			if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
				to[at++] = (byte) c;
				continue;
			}
			to[at++] = '\\';
			if (c == '"' || c == '\\') {
				to[at++] = (byte) c;
			} else {
				to[at++] = 'u';
				for (int shift = 12; shift >= 0; shift -= 4) to[at++] = (byte) Character.forDigit(c >> shift & 15, 16);
			}
		}
		to[at++] = '"';
		length = at;
		return this;
	}

	private void room(int count) {
		if (bytes.length - length < count) bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + count));
	}
}
