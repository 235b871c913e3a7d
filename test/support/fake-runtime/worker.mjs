// A worker that breaks rules on purpose: FAKE_START selects how it starts, a call's path what it
// does with the call. FAKE_CONCURRENCY is its `concurrency`; FAKE_AHEAD is the number of calls that
// it accepts ahead, in order.
import { appendFileSync, closeSync, existsSync } from "node:fs";
import { Socket } from "node:net";

const wire = new Socket({ fd: 3, readable: true, writable: true });
const { FAKE_START = "ready", FAKE_AHEAD, FAKE_CONCURRENCY, FAKE_JOURNAL } = process.env;

/** the calls it has not answered */
const open = new Set();
let stopping = false;

const send = (line, body = "") => {
	if (["result", "end", "error", "withdrawn"].includes(line.type)) open.delete(line.id);
	const head = line.head ?? "";
	const fields = {
		...line,
		head: undefined,
		...(head && { head: head.length }),
		...(body.length > 0 && { body: Buffer.byteLength(body) }),
	};
	wire.write(`${JSON.stringify(fields)}\n${head}`);
	if (body.length > 0) wire.write(body);
	if (line.id !== undefined && line.id === running) next();
	leave();
};
/** PROTOCOL 6.2 */
const leave = () => stopping && open.size === 0 && wire.end(() => process.exit(0));
const result = (id, body, head = "") => send({ type: "result", id, head }, body);
const ready = () =>
	send({
		type: "ready",
		wire: 1,
		handler: "fake",
		...(FAKE_CONCURRENCY && { concurrency: Number(FAKE_CONCURRENCY) }),
		...(FAKE_AHEAD && { ahead: Number(FAKE_AHEAD) }),
	});
/** What happened, where a test can read it however the worker ends. */
const note = (what) => FAKE_JOURNAL && appendFileSync(FAKE_JOURNAL, `${what}\n`);

const held = new Set();

/** with FAKE_AHEAD: calls that are not begun, and the one that is */
const behind = [];
let running;
let deaf = false;
/**
 * PROTOCOL 5.5: what is on the wire when a call has been answered is read before the next begins.
 */
const next = () => {
	wire.write("", () => setImmediate(() => setImmediate(begin)));
};
const begin = () => {
	const [line, head, body] = behind.shift() ?? [];
	running = line?.id;
	if (line) act(line, head, body);
};
const giveBack = () => {
	for (const [{ id }] of behind.splice(0)) send({ type: "withdrawn", id });
};

const STARTS = {
	ready,
	twice() {
		ready();
		ready();
	},
	never() {},
	// When the file $FAKE_GO exists.
	late() {
		if (!existsSync(process.env.FAKE_GO)) return setTimeout(STARTS.late, 20);
		note("ready");
		ready();
	},
	version2: () => send({ type: "ready", wire: 2, handler: "fake" }),
	dies: () => process.exit(3),
	garbage: () => wire.write("hello\n"),
	result: () => result(1, "early"),
	failed() {
		send({ type: "failed", code: "HANDLER_NOT_FOUND", message: "there is no handler called x", handlers: ["a", "b"] });
		setTimeout(() => process.exit(1), 20);
	},
	log() {
		send({ type: "log", stream: "stdout" }, "before ready\n");
		ready();
	},
};

const CALLS = {
	"/garbage": () => wire.write("this is no frame\n"),
	"/binary": () => wire.write(Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a])),
	"/array": () => wire.write("[1,2]\n"),
	"/untyped": ({ id }) => wire.write(`{"id":${id}}\n`),
	"/odd-type": ({ id }) => send({ type: "answer", id }),
	"/twice"({ id }) {
		result(id, "one");
		result(id, "two");
	},
	"/unknown-id": ({ id }) => result(id + 1000, "whose?"),
	"/no-id": () => send({ type: "result" }),
	"/ready-again": () => ready(),
	"/negative-length": ({ id }) => wire.write(`{"type":"result","id":${id},"body":-1}\n`),
	"/huge-length": ({ id }) => wire.write(`{"type":"result","id":${id},"body":99999999999}\n`),
	"/short": ({ id }) => wire.write(`{"type":"result","id":${id},"body":3}\nabcdef\n`),
	"/long-line": () => wire.write(Buffer.alloc(2 * 1024 * 1024, 0x61)),
	"/odd-status": ({ id }) => send({ type: "result", id, status: 42 }),
	"/interim": ({ id }) => send({ type: "result", id, status: 101 }),
	"/end-first": ({ id }) => send({ type: "end", id }),
	"/chunk-first": ({ id }) => send({ type: "chunk", id }, "early"),
	"/head-twice"({ id }) {
		send({ type: "head", id, status: 200 });
		send({ type: "chunk", id }, "a");
		send({ type: "head", id, status: 201 });
		send({ type: "end", id });
	},
	"/close"() {
		wire.destroy();
		closeSyncly();
		setInterval(() => {}, 1000);
	},
	"/half-frame"({ id }) {
		wire.write(`{"type":"result","id":${id},"body":100}\nonly this`);
		setTimeout(() => process.exit(0), 20);
	},
	"/exit0": () => process.exit(0),
	"/exit7": () => process.exit(7),
	"/kill": () => process.kill(process.pid, "SIGKILL"),
	// Held until it is cancelled, and not even then.
	"/hang": ({ id }) => held.add(id),
	"/stubborn": () => {},
	"/busy"() {
		for (;;);
	},
	// Gives back what is behind it, then answers.
	"/give-back"({ id }) {
		setTimeout(() => {
			giveBack();
			result(id, "gave back");
		}, 10);
	},
	"/withdrawn": ({ id }) => send({ type: "withdrawn", id }),
	// Begins the call that was withdrawn.
	"/deaf-to-withdraw"({ id }) {
		deaf = true;
		setTimeout(() => result(id, "kept"), 500);
	},
	"/slow": ({ id, query = "100" }) => setTimeout(() => result(id, "slow"), Number(query)),
	"/head-only": ({ id }) => send({ type: "head", id, status: 200 }),
	"/midway"({ id }) {
		send({ type: "head", id, status: 200 });
		send({ type: "chunk", id }, "half of it");
		send({ type: "error", id, message: "threw midway" });
	},
	"/die-midway"({ id }) {
		send({ type: "head", id, status: 200 });
		send({ type: "chunk", id }, "half of it");
		setTimeout(() => process.exit(7), 50);
	},
	// Headers with more bytes than the wire allows, as `head` of a stream or of a result.
	"/long-head"({ id, query }) {
		const head = `X-Name: ${"a".repeat(1024 * 1024)}\r\n`;
		if (query !== "stream") return send({ type: "result", id, head }, "x");
		send({ type: "head", id, head });
		send({ type: "chunk", id }, "x");
		send({ type: "end", id });
	},
	"/too-long"({ id }) {
		send({ type: "head", id, status: 200, head: "Content-Length: 3\r\n" });
		send({ type: "chunk", id }, "more than three");
		send({ type: "end", id });
	},
	"/too-short"({ id }) {
		send({ type: "head", id, status: 200, head: "Content-Length: 30\r\n" });
		send({ type: "chunk", id }, "too short");
		send({ type: "end", id });
	},
	// A stream whose Content-Length is the query, undecoded.
	"/own-length"({ id, query }) {
		send({ type: "head", id, status: 200, head: `Content-Length: ${query}\r\n` });
		send({ type: "chunk", id }, "four");
		send({ type: "end", id });
	},
	"/empty-own-length": ({ id, query }) => send({ type: "result", id, head: `Content-Length: ${query}\r\n` }),
	// All of the answer but its end; then the process ends.
	"/die-before-end"({ id }) {
		send({ type: "head", id, status: 200, head: "Content-Length: 5\r\n" });
		send({ type: "chunk", id }, "whole");
		setTimeout(() => process.exit(7), 50);
	},
	// A stream that ends only when it is cancelled.
	"/endless"({ id, query }) {
		held.add(id);
		send({ type: "head", id, status: Number(query ?? 200) });
		send({ type: "chunk", id }, "and on");
	},
	"/length-lie": ({ id }) => send({ type: "result", id, head: "Content-Length: 3\r\n" }, "more than three"),
	"/bare-cr": ({ id }) => send({ type: "result", id, head: "X-A: one\rX-B: two\r\n" }, "split"),
	"/bare-lf": ({ id }) => send({ type: "result", id, head: "X-A: one\nX-B: two\r\n" }, "split"),
	"/nul": ({ id }) => send({ type: "result", id, head: "X-A: a\0b\r\n" }, "split"),
	"/bad-name": ({ id }) => send({ type: "result", id, head: "X A: one\r\n" }, "split"),
	"/framing": ({ id }) => send({ type: "result", id, head: "Transfer-Encoding: chunked\r\nConnection: upgrade\r\n" }, "framed"),
	"/claims-refusal": ({ id }) => send({ type: "result", id, status: 503, head: "Kubeless-Refused: QUEUE_FULL\r\nX-Other: kept\r\n" }),
	"/no-body": ({ id }) => send({ type: "result", id, status: 204 }, "but there is one"),
	"/deaf"({ id, query }) {
		// Ignores `pause` and `cancel`: `query` is the size in MiB.
		send({ type: "head", id, status: 200 });
		for (let left = Number(query); left > 0; left--) send({ type: "chunk", id }, Buffer.alloc(1024 * 1024));
		send({ type: "end", id });
	},
	"/whole"({ id, query }) {
		result(id, Buffer.alloc(Number(query) * 1024 * 1024, 0x61));
	},
	"/malformed": ({ id }) => send({ type: "error", id, code: "BODY_MALFORMED", message: "not JSON" }),
	"/invalid": ({ id }) => send({ type: "error", id, code: "RESULT_INVALID", message: "a symbol cannot be sent" }),
	"/throw": ({ id }) => send({ type: "error", id, message: "secret words", stack: "at secret.place" }),
	"/pid": ({ id }) => result(id, String(process.pid)),
	"/line": (line) => result(line.id, JSON.stringify(line), "Content-Type: application/json\r\n"),
	"/head": ({ id }, _body, head) => result(id, head),
	"/status": ({ id, query }) => send({ type: "result", id, status: Number(query) }),
	"/print-long"({ id }) {
		console.log("z".repeat(2 * 16_384 + 1));
		result(id, "printed");
	},
	"/print": ({ id, query }) => {
		console.log(query.includes("%") ? decodeURIComponent(query) : query);
		setTimeout(() => result(id, "printed"), 30);
	},
};

function closeSyncly() {
	try {
		closeSync(3);
	} catch {
		// The socket has closed it.
	}
}

function echo({ id }, body) {
	result(id, body);
}

function act(line, head, body) {
	note(`call ${line.id} ${line.path} ${body}`.trimEnd());
	return (CALLS[line.path] ?? echo)(line, body, head);
}

function frame(line, head, body) {
	switch (line.type) {
		case "call":
			open.add(line.id);
			if (!FAKE_AHEAD) return act(line, head, body);
			behind.push([line, head, body]);
			if (running === undefined) begin();
			return;
		case "withdraw":
			return deaf || giveBack();
		case "cancel":
			note(`cancel ${line.id}`);
			if (held.delete(line.id)) send({ type: "error", id: line.id, code: "CANCELLED", message: "stopped" });
			return;
		case "pause":
		case "resume":
			return note(`${line.type} ${line.id}`);
		case "stop":
			note("stop");
			stopping = true;
			leave();
	}
}

let rest = Buffer.alloc(0);
wire.on("data", (chunk) => {
	rest = Buffer.concat([rest, chunk]);
	for (;;) {
		const newline = rest.indexOf(10);
		if (newline < 0) return;
		const line = JSON.parse(rest.subarray(0, newline).toString("latin1"));
		const bodyAt = newline + 1 + (line.head ?? 0);
		const end = bodyAt + (line.body ?? 0);
		if (rest.length < end) return;
		const [head, body] = [rest.subarray(newline + 1, bodyAt), rest.subarray(bodyAt, end)];
		rest = rest.subarray(end);
		frame(line, head, body);
	}
});
wire.on("end", () => process.exit(0));
wire.on("error", () => {});
if (process.env.FAKE_PRINT_AT_START) console.log(process.env.FAKE_PRINT_AT_START);
STARTS[FAKE_START]();
