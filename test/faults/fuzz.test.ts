import assert from "node:assert/strict";
import test from "node:test";
import { readConfig } from "../../kubeless-loader/src/config.ts";
import { StartError } from "../../kubeless-loader/src/errors.ts";
import { EventError, openEnvelope } from "../../kubeless-loader/src/invoke/cloudevent.ts";
import { readHead } from "../../kubeless-loader/src/invoke/event.ts";
import { readReplyHead, resultHeaders, streamHeaders } from "../../kubeless-loader/src/invoke/reply.ts";
import { quote } from "../../kubeless-loader/src/worker/wire/call-line.ts";
import { FrameReader, WireError } from "../../kubeless-loader/src/worker/wire/frames.ts";
import { startFake } from "../support/fake.ts";
import { fuzz, Random } from "../support/random.ts";
import { ended } from "../support/steps.ts";
import { WireTap } from "../support/wire-tap.ts";

/** The time that each test runs with random input. */
const LONG_MS = 1500;

/** Returns one to five valid frames of a worker. */
function frames(random: Random): Buffer {
	const types = ["result", "head", "chunk", "end", "error", "log", "ready", "failed"];
	const parts: Buffer[] = [];
	for (let count = 1 + random.below(5); count > 0; count--) {
		const [head, body] = [random.bytes(random.below(40)), random.bytes(random.below(random.pick([3, 300, 5000])))];
		const line: Record<string, unknown> = {
			type: random.pick(types),
			id: random.below(9),
			message: random.bytes(random.below(9)).toString("utf8"),
		};
		if (head.length > 0 || random.below(2)) line["head"] = head.length;
		if (body.length > 0 || random.below(2)) line["body"] = body.length;
		parts.push(Buffer.from(`${JSON.stringify(line)}\n`), head, body);
	}
	return Buffer.concat(parts);
}

/**
 * Returns the result of reading these pieces: frames as text, then the state of the reader or the
 * broken rule.
 */
function read(pieces: readonly Buffer[]): string[] {
	const seen: string[] = [];
	let before: object | undefined;
	const reader = new FrameReader((line, bytes, headStart, bodyStart, end) => {
		assert.ok(0 <= headStart && headStart <= bodyStart && bodyStart <= end && end <= bytes.length);
		const body = bytes.toString("latin1", bodyStart, end);
		// The reader may deliver a chunk's body in parts, as they arrive.
		if (line === before) seen.push((seen.pop() as string) + body);
		else seen.push(`${JSON.stringify(line)} ${bytes.toString("latin1", headStart, bodyStart)} ${body}`);
		before = line;
	});
	try {
		for (const piece of pieces) reader.push(piece);
		seen.push(reader.unfinished ? "unfinished" : "finished");
	} catch (error) {
		if (!(error instanceof WireError)) throw error;
		seen.push(`broken: ${error.rule}`);
	}
	return seen;
}

test("fuzz: valid frames are read whole, however they are split and joined", () => {
	fuzz(LONG_MS, (random) => {
		const bytes = frames(random);
		const whole = read([bytes]);
		assert.equal(whole.at(-1), "finished");
		assert.deepEqual(read(random.split(bytes)), whole);
	});
});

test("fuzz: invalid frames cause a WireError or wait for more bytes, with the same result for any split", () => {
	fuzz(LONG_MS, (random) => {
		const bytes = random.below(4) === 0 ? random.bytes(random.below(300)) : random.mutate(frames(random));
		// For an unfinished chunk, splits may differ only by an empty part.
		assert.deepEqual(read(random.split(bytes)), read([bytes]));
	});
});

test("fuzz: any text is quoted as JSON in pure ASCII and parses to itself", () => {
	fuzz(LONG_MS / 3, (random) => {
		const units = Array.from({ length: random.below(20) }, () => random.below(random.pick([128, 65536])));
		const text = String.fromCharCode(...units);
		const quoted = quote(text);
		assert.match(quoted, /^[ -~]*$/);
		assert.equal(JSON.parse(quoted), text);
	});
});

test("fuzz: any request headers are read, and the head has all of them", () => {
	const names = ["Event-Id", "event-type", "CE-x", "ce-", "Content-Length", "content-type", "traceparent", "Transfer-Encoding", "X"];
	fuzz(LONG_MS / 3, (random) => {
		const pairs = Array.from({ length: random.below(8) }, () => [random.pick(names), random.bytes(random.below(12)).toString("latin1")]);
		const head = readHead(pairs.flat());
		assert.equal(head.contentType, pairs.find(([name]) => name === "content-type")?.[1]);
		assert.equal(head.eventId, pairs.find(([name]) => name === "Event-Id")?.[1]);
	});
});

test("fuzz: any answer headers are parsed, and headers of the connection are dropped", () => {
	const names = ["Content-Length", "connection", "TRANSFER-ENCODING", "X-A", "Set-Cookie", "", " ", "keep-alive", "upgrade"];
	fuzz(LONG_MS / 3, (random) => {
		const lines = Array.from(
			{ length: random.below(6) },
			() => `${random.pick(names)}:${random.bytes(random.below(9)).toString("latin1")}`,
		);
		const block = random.below(3) ? `${lines.join("\r\n")}\r\n` : random.bytes(random.below(60)).toString("latin1");
		let streamed: readonly string[] = [];
		try {
			const { pairs, length } = streamHeaders(block, 200);
			streamed = pairs;
			assert.ok(length === undefined || pairs.includes(String(length)));
		} catch (error) {
			assert.match((error as Error).message, /^Content-Length is /);
		}
		for (const headers of [readReplyHead(block).pairs, resultHeaders(block, 200, 7, false), streamed]) {
			assert.equal(headers.length % 2, 0);
			const found = headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
			for (const name of ["connection", "keep-alive", "transfer-encoding", "upgrade"]) assert.ok(!found.includes(name), name);
			assert.ok(found.filter((name) => name === "content-length").length <= 1);
		}
	});
});

test("fuzz: any environment gives a configuration or one StartError", () => {
	const names = [
		"FUNC_PORT",
		"FUNC_TIMEOUT",
		"REQ_MB_LIMIT",
		"FUNC_WORKERS",
		"FUNC_CONCURRENCY",
		"MOD_NAME",
		"FUNC_WATCH",
		"FUNC_QUEUE_LENGTH",
	];
	const values = [
		"0",
		"1",
		"-1",
		"1e3",
		"auto",
		"true",
		" 5 ",
		"0x10",
		"999999999999999999999",
		"1.5",
		"NaN",
		"Infinity",
		"",
		"..",
		"a/b",
		"٣",
	];
	fuzz(LONG_MS / 3, (random) => {
		const env = Object.fromEntries(Array.from({ length: 1 + random.below(5) }, () => [random.pick(names), random.pick(values)]));
		try {
			const config = readConfig(env);
			assert.ok(Number.isInteger(config.port) && config.port >= 0 && config.port < 65536);
			assert.ok(config.timeoutMs > 0 && config.timeoutMs < 2 ** 31);
			assert.ok(Number.isInteger(config.bodyLimit) && config.bodyLimit >= 0);
			assert.ok(config.concurrency === undefined || config.concurrency > 0);
		} catch (error) {
			if (!(error instanceof StartError)) throw error;
			assert.match(error.message, /^\w+ is "/);
		}
	});
});

test("fuzz: any envelope gives a CloudEvent or an error with a message", () => {
	const event = Buffer.from('{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"a":[1.0,1e999,"\\u010d"]},"x":null}');
	fuzz(LONG_MS / 3, (random) => {
		try {
			const { data = [] } = ended(openEnvelope(readHead([]), [random.mutate(event)]));
			assert.ok(Buffer.concat(data).length <= 2 * event.length);
		} catch (error) {
			assert.ok(error instanceof EventError, `${error}`);
		}
	});
});

test("fuzz: invalid and mutated requests over TCP leave the loader healthy, with no call in flight", async (t) => {
	const loader = await startFake(t);
	const random = new Random();
	t.diagnostic(`TEST_SEED=${random.seed}`);
	const valid = Buffer.from(
		"POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Type: application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nciao\r\n0\r\n\r\nGET /slow?5 HTTP/1.1\r\nHost: a\r\nce-id: %zz\r\nExpect: 100-continue\r\n\r\n",
	);
	const until = performance.now() + LONG_MS;
	while (performance.now() < until) {
		const taps = await Promise.all(Array.from({ length: 8 }, () => WireTap.open(loader.port, t)));
		for (const tap of taps) {
			const bytes = random.below(4) === 0 ? random.bytes(random.below(500)) : random.mutate(valid);
			for (const piece of random.split(bytes)) tap.write(piece);
			if (random.below(2)) tap.socket.end();
		}
		assert.equal((await loader.ask("/healthz")).text, "OK", `TEST_SEED=${random.seed}`);
		for (const tap of taps) tap.socket.destroy();
	}
	assert.equal((await loader.ask({ body: "served on" })).text, "served on", `TEST_SEED=${random.seed}`);
	await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
	const faults = loader.records.filter(({ msg }) => msg === "uncaught exception in the loader");
	assert.equal(faults.length, 0, `TEST_SEED=${random.seed}: ${JSON.stringify(faults[0])}`);
});
