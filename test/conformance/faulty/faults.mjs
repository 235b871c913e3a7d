import { spawn } from "node:child_process";
import { inTurn } from "./in-turn.mjs";

/** Changes the bytes of outgoing frames, as text with one character per byte. */
const rewrite = (change) => ({ write: (bytes, wire) => wire.write(Buffer.from(change(bytes.toString("latin1")), "latin1")) });

/** Changes the frames of one type. */
const change = (type, changed) => ({
	send: (put, line, head, body) => (line.type === type ? put(...changed(line, head, body)) : put(line, head, body)),
});

/** Adds an action after each outgoing frame of one type. */
const after = (type, more) => ({
	send(put, line, head, body, wire) {
		put(line, head, body);
		if (line.type === type) more(put, line, wire);
	},
});

/** Adds an action before each outgoing frame of one type. */
const before = (type, more) => ({
	send(put, line, head, body, wire) {
		if (line.type === type) more(put, line, wire);
		put(line, head, body);
	},
});

/** Replaces the handling of incoming frames of one type. */
const on = (type, act) => ({ receive: (frame, take, put) => (frame.type === type ? act(frame, take, put) : take(frame)) });

/** Keeps the process running until it is killed. */
const stayAlive = () => setInterval(() => {}, 60_000);

let queue = Promise.resolve();
const held = [];
let halves = [];

/** The faults of workers. Each is a change ("twist") to the correct worker of `serve.mjs`. */
export const faults = {
	"closes the wire and keeps running": after("result", (_put, _line, wire) => {
		wire.destroy();
		stayAlive();
	}),
	"lets a child hold the wire": on("call", (call, _take, put) => {
		const { pid } = spawn("sleep", ["30"], { stdio: ["ignore", "ignore", "ignore", 3] });
		put({ type: "result", id: call.id }, "", String(pid));
	}),
	"exits after an answer": {
		send(put, line, head, body, wire) {
			put(line, head, body);
			if (line.id === 2) wire.end(() => process.exit(0));
		},
	},
	"keeps running after the end of the wire": { wire: { onEnd: stayAlive } },
	"prints nothing": before("ready", () => {
		console.log = console.error = () => {};
	}),

	"writes a line that is not JSON": before("result", (_put, _line, wire) => wire.write("hello\n")),
	"writes a JSON list": rewrite((text) => text.replace(/^(\{.*\})\n/, "[$1]\n")),
	"writes bytes that are not UTF-8": rewrite((text) => text.replace('"type":"result"', '"type":"result","name":"\xff"')),
	"ends its lines with CR LF": rewrite((text) => text.replace("}\n", "}\r\n")),
	"declares one byte less than it sends": rewrite((text) => text.replace(/"body":(\d+)\}/, (_, n) => `"body":${n - 1}}`)),
	"declares one byte more than it sends": rewrite((text) => text.replace(/"body":(\d+)\}/, (_, n) => `"body":${Number(n) + 1}}`)),
	"exits within a frame": {
		send(put, line, head, body, wire) {
			if (line.id !== 2) return put(line, head, body);
			wire.end('{"type":"result","id":2,"body":9}\nciao', () => process.exit(0));
		},
	},
	"sends a frame without a type": rewrite((text) => text.replace('"type":"result",', "")),
	"sends a frame of an unknown type": before("result", (put) => put({ type: "progress" })),
	"writes null": before("result", (_put, _line, wire) => wire.write("null\n")),
	"exits at a frame of an unknown type": on("novelty", () => process.exit(1)),
	"writes a line over 1 MiB": change("result", (line, ...rest) => [{ ...line, padding: "x".repeat(2 ** 20) }, ...rest]),
	"writes a line without end": before("result", (_put, _line, wire) => wire.write("x".repeat(2 ** 20 + 1))),
	"declares a negative length": rewrite((text) => text.replace(/"body":\d+\}/, '"body":-1}')),
	"declares a length over 1 GiB": rewrite((text) => text.replace(/"body":\d+\}/, '"body":2000000000}')),
	"sends a length as text": rewrite((text) => text.replace(/"body":(\d+)\}/, '"body":"$1"}')),
	"sends a head over 1 MiB": change("result", (line, _head, body) => [line, `X-Name: ${"a".repeat(2 ** 20)}\r\n`, body]),
	"sends an id as text": change("result", (line, ...rest) => [{ ...line, id: String(line.id) }, ...rest]),
	"mixes its frames": {
		write(bytes, wire) {
			if (!bytes.includes('"type":"result"')) return wire.write(bytes);
			halves.push([bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)]);
			if (halves.length < 2) return;
			for (const half of [0, 1]) for (const parts of halves.slice(0, 2)) wire.write(parts[half]);
			halves = [];
		},
	},
	"sends a head without line ends": change("result", (line, _head, body) => [line, "X-Name: Ada", body]),
	"sends a head with an empty line": change("result", (line, _head, body) => [line, "X-Name: Ada\r\n\r\n", body]),
	"sends a header without a name": change("result", (line, _head, body) => [line, ": Ada\r\n", body]),
	"stops within a frame": {
		send: (put, line, ...rest) => (line.id === 2 ? put.raw('{"type":"result","id":2,"body":9}\nciao') : put(line, ...rest)),
	},
	"stops reading the wire": after("ready", (_put, _line, wire) => wire.pause()),
	"keeps running after a broken line": { wire: { onBroken: () => {} } },
	"exits with 0 at a broken line": { wire: { onBroken: () => process.exit(0) } },

	"sends ready late": { send: (put, ...frame) => (frame[0].type === "ready" ? setTimeout(put, 60_000, ...frame) : put(...frame)) },
	"exits before it is ready": before("ready", () => process.exit(3)),
	"answers before it is ready": before("ready", (put) => put({ type: "result", id: 1 })),
	"sends ready twice": after("ready", (put, line) => put(line)),
	"sends failed after ready": after("ready", (put) => put({ type: "failed", code: "HANDLER_FAILED_TO_LOAD", message: "after all" })),
	"speaks another version": change("ready", (line, ...rest) => [{ ...line, wire: 2 }, ...rest]),
	"speaks a future version": change("ready", (line, ...rest) => [{ ...line, wire: Number(process.env.KUBELESS_WIRE) }, ...rest]),
	"sends ready without its handler": change("ready", (line, ...rest) => [{ ...line, handler: undefined }, ...rest]),
	"states a concurrency of 0": change("ready", (line, ...rest) => [{ ...line, concurrency: 0 }, ...rest]),
	"states an ahead that is not a count": change("ready", (line, ...rest) => [{ ...line, ahead: "some" }, ...rest]),
	"fails without a list of handlers": change("failed", (line, ...rest) => [{ ...line, handlers: undefined }, ...rest]),
	"fails with an unknown code": change("failed", (line, ...rest) => [{ ...line, code: "OOPS" }, ...rest]),
	"fails and exits with 0": { failedExit: 0 },
	"loads its handler for each call": change("result", (line, head) => [line, head, "1"]),

	"answers twice": after("result", (put, line) => put(line)),
	"answers a call that was never sent": before("result", (put, line) => put({ ...line, id: line.id + 1000 })),
	"answers without an id": change("result", (line, ...rest) => [{ ...line, id: undefined }, ...rest]),
	"answers every call but one": { send: (put, line, ...rest) => (line.id === 77 ? undefined : put(line, ...rest)) },
	"answers in turn": {
		receive: (frame, take) => (frame.type === "call" ? takeInTurn(frame, take) : take(frame)),
		send(put, line, ...rest) {
			put(line, ...rest);
			if (["result", "end", "error"].includes(line.type)) held.shift()?.();
		},
	},
	"loses the status": change("result", (line, ...rest) => [{ ...line, status: undefined }, ...rest]),
	"sends an interim status": change("result", (line, ...rest) => [{ ...line, status: 103 }, ...rest]),
	"sends an invalid status": change("result", (line, ...rest) => [{ ...line, status: 99 }, ...rest]),
	"loses a repeated header": change("result", (line, head, body) => [line, head.replace("Set-Cookie: a=1\r\n", ""), body]),
	"begins an answer twice": after("head", (put, line) => put(line)),
	"sends a result after a head": after("head", (put, line) => put({ type: "result", id: line.id })),
	"sends an end without a head": before("result", (put, line) => put({ type: "end", id: line.id })),
	"sends a chunk before the head": before("head", (put, line) => put({ type: "chunk", id: line.id })),
	"sends an error after the end of an answer": after("end", (put, line) => put({ type: "error", id: line.id, message: "after all" })),
	"begins a call that it must give back": inTurn({ heedsWithdraw: false }),
	"begins the last call first": inTurn({ next: (waiting) => waiting.pop() }),
	"gives back a call that is not ahead": change("result", (line) => [{ type: "withdrawn", id: line.id }]),
	"ends twice": after("end", (put, line) => put(line)),
	"sends less than its Content-Length": { send: (put, line, ...rest) => (line.type === "chunk" ? undefined : put(line, ...rest)) },
	"sends more than its Content-Length": before("end", (put, line) => put({ type: "chunk", id: line.id }, "", "more")),
	"sends an error without a message": change("error", (line, ...rest) => [{ ...line, message: undefined }, ...rest]),
	"sends an error with an unknown code": change("error", (line, ...rest) => [{ ...line, code: "OOPS" }, ...rest]),
	"calls the handler with malformed JSON": on("call", (call, take) => take({ ...call, json: false })),
	"exits at a handler's error": after("error", (_put, _line, wire) => wire.end(() => process.exit(1))),
	"treats bytes as text": on("call", (call, take) => take({ ...call, bodyBytes: Buffer.from(String(call.bodyBytes ?? "")) })),

	"ignores pause": on("pause", () => {}),
	"ignores resume": on("resume", () => {}),
	"sends large results whole": { whole: Number.POSITIVE_INFINITY },
	"holds a chunk back until the next one": {
		send(put, ...frame) {
			if (frame[0].type === "chunk" && held.length === 0) return held.push(frame);
			for (const earlier of held.splice(0)) put(...earlier);
			if (frame[0].type === "chunk") held.push(frame);
			else put(...frame);
		},
	},
	"does not answer a cancelled call": {
		receive(frame, take) {
			if (frame.type === "cancel") held.push(frame.id);
			take(frame);
		},
		send: (put, line, ...rest) => (held.includes(line.id) ? undefined : put(line, ...rest)),
	},
	"answers a cancelled call twice": on("cancel", (frame, take, put) => {
		put({ type: "error", id: frame.id, code: "CANCELLED", message: "cancelled" });
		take(frame);
	}),
	"ignores stop and keeps logging": on("stop", (_frame, _take, put) => {
		setInterval(() => put({ type: "log", stream: "stdout" }, "", "still here\n"), 10);
	}),
	"ignores stop": on("stop", () => {}),
	"exits with 3 when it gets stop": { stopExit: 3 },
	"drops its calls when it gets stop": on("stop", () => process.exit(0)),
	"answers a call again after stop": on("stop", (frame, take, put) => {
		put({ type: "result", id: 1 });
		take(frame);
	}),

	"logs to an unknown stream": before("result", (put, line) => put({ type: "log", stream: "stdlog", id: line.id }, "", "hello\n")),
	"logs for a call that has ended": after("result", (put, line) => put({ type: "log", stream: "stdout", id: line.id }, "", "hello\n")),
	"logs text that is not UTF-8": before("result", (put, line) =>
		put({ type: "log", stream: "stdout", id: line.id }, "", Buffer.from([255, 10])),
	),
};

function takeInTurn(call, take) {
	const turn = queue;
	queue = new Promise((resolve) => held.push(resolve));
	turn.then(() => take(call));
}
