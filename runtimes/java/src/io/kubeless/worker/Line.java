package io.kubeless.worker;

/**
 * Reads the line of a frame: a JSON object of known fields. Unknown fields are checked and skipped
 * (PROTOCOL 2.1, 2.2).
 */
final class Line {
	private static final int MAX_HEAD_BYTES = 1 << 20; // PROTOCOL 2.3
	private static final int MAX_BODY_BYTES = 1 << 30;
	private static final long MAX_COUNT = (1L << 53) - 1;

	private static final Words FIELDS = new Words("type", "id", "method", "path", "query", "address", "event-id", "event-type",
			"event-time", "event-namespace", "extensions", "json", "head", "body", "data", "envelope");

	private Line() {}

	/**
	 * Returns the frame whose line is text[start..end), without its head and body. Throws Malformed if
	 * the line breaks a rule.
	 */
	static Call read(byte[] text, int start, int end) throws JsonScanner.Malformed {
		JsonScanner line = new JsonScanner(text, start, end);
		Call call = new Call();
		for (boolean more = line.object(); more; more = line.nextMember()) member(line, call);
		line.end();
		if (call.type == null) throw line.malformed("no type");
		return call;
	}

	private static void member(JsonScanner line, Call call) throws JsonScanner.Malformed {
		switch (line.member(FIELDS)) {
			case "type":
				call.type = line.string();
				break;
			case "id":
				call.id = line.count(MAX_COUNT);
				break;
			case "method":
				call.method = line.string();
				break;
			case "path":
				call.path = line.string();
				break;
			case "query":
				call.query = line.string();
				break;
			case "address":
				call.address = line.string();
				break;
			case "event-id":
				call.eventId = line.string();
				break;
			case "event-type":
				call.eventType = line.string();
				break;
			case "event-time":
				call.eventTime = line.string();
				break;
			case "event-namespace":
				call.eventNamespace = line.string();
				break;
			case "extensions":
				call.extensions = line.strings();
				break;
			case "json":
				call.json = line.isTrue();
				break;
			case "head":
				call.headLength = (int) line.count(MAX_HEAD_BYTES);
				break;
			case "body":
				call.bodyLength = (int) line.count(MAX_BODY_BYTES);
				break;
			case "data":
				call.dataLength = (int) line.count(MAX_BODY_BYTES);
				break;
			case "envelope":
				call.envelopeLength = (int) line.count(MAX_BODY_BYTES);
				break;
			default:
				line.skip();
		}
	}
}
