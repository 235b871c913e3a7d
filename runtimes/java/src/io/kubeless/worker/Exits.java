package io.kubeless.worker;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes System.exit end one call instead of the process, which all calls share. Java 24 removed the
 * SecurityManager, the only public way to catch it. So the function's classes are loaded with calls
 * of another method: in a class file that is one number, the class of the method reference (JVMS
 * 4.4.2). No library (ASM) for it, for the reason given in Json.
 */
public final class Exits {
	private static final String TARGET = "io/kubeless/worker/Exits";
	private static final int UTF8 = 1, INTEGER = 3, FLOAT = 4, LONG = 5, DOUBLE = 6, CLASS = 7, STRING = 8, METHOD = 10;
	private static final int METHOD_HANDLE = 15, METHOD_TYPE = 16, MODULE = 19, PACKAGE = 20;

	private Exits() {}

	/** Thrown by System.exit in a function. */
	static final class Exit extends Error {
		private static final long serialVersionUID = 1;

		Exit(int status) {
			super("the function called System.exit(" + status + "), which ends this call only");
		}
	}

	/** Replaces System.exit. Public because the function's classes call it. */
	public static void exit(int status) {
		throw new Exit(status);
	}

	/** Returns the class file with System.exit replaced; null if it does not call it. */
	static byte[] replaced(byte[] file) throws IOException {
		DataInputStream in = new DataInputStream(new ByteArrayInputStream(file));
		in.skipBytes(8);
		int count = in.readUnsignedShort();
		int[] places = new int[count];
		int[] pairs = new int[count]; // of an entry: two references of 16 bits
		String[] texts = new String[count];
		int[] tags = new int[count];
		for (int i = 1; i < count; i++) {
			places[i] = file.length - in.available();
			int tag = tags[i] = in.readUnsignedByte();
			if (tag == UTF8) texts[i] = in.readUTF();
			else if (tag == CLASS || tag == STRING || tag == METHOD_TYPE || tag == MODULE || tag == PACKAGE) pairs[i] = in.readUnsignedShort();
			else if (tag == METHOD_HANDLE) in.skipBytes(3);
			else if (tag == INTEGER || tag == FLOAT || (tag >= 9 && tag <= 18)) pairs[i] = in.readInt();
			else if (tag == LONG || tag == DOUBLE) {
				in.readLong();
				i++; // takes two entries
			} else return null; // an entry of a later version of Java
		}
		int end = file.length - in.available();
		List<Integer> found = new ArrayList<>();
		for (int i = 1; i < count; i++) {
			if (tags[i] != METHOD || !"java/lang/System".equals(texts[pairs[pairs[i] >>> 16]])) continue;
			int nameAndType = pairs[pairs[i] & 0xffff];
			if ("exit".equals(texts[nameAndType >>> 16]) && "(I)V".equals(texts[nameAndType & 0xffff])) found.add(places[i]);
		}
		if (found.isEmpty() || count > 0xffff - 2) return null;
		for (int place : found) {
			file[place + 1] = (byte) ((count + 1) >> 8);
			file[place + 2] = (byte) (count + 1);
		}
		ByteArrayOutputStream bytes = new ByteArrayOutputStream(file.length + 64);
		DataOutputStream out = new DataOutputStream(bytes);
		out.write(file, 0, 8);
		out.writeShort(count + 2);
		out.write(file, 10, end - 10);
		out.writeByte(UTF8);
		out.writeUTF(TARGET);
		out.writeByte(CLASS);
		out.writeShort(count);
		out.write(file, end, file.length - end);
		return bytes.toByteArray();
	}
}
