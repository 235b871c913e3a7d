package io.kubeless.worker;

import java.nio.charset.StandardCharsets;

/** A fixed list of ASCII words, which are found among bytes without making a String. */
final class Words {
	private final String[] words;
	private final byte[][] bytes;

	Words(String... words) {
		this.words = words;
		bytes = new byte[words.length][];
		for (int i = 0; i < words.length; i++) bytes[i] = words[i].getBytes(StandardCharsets.US_ASCII);
	}

	/** Returns the word that text[start..stop) is; null if the list does not have it. */
	String find(byte[] text, int start, int stop) {
		int length = stop - start;
		for (int i = 0; i < bytes.length; i++) {
			if (bytes[i].length == length && matches(bytes[i], text, start)) return words[i];
		}
		return null;
	}

	private static boolean matches(byte[] word, byte[] text, int start) {
		for (int i = 0; i < word.length; i++) {
			if (text[start + i] != word[i]) return false;
		}
		return true;
	}
}
