import { spawn } from "node:child_process";
import { inTurn } from "./in-turn.mjs";

/** Changes the bytes that the worker sends; one character is one byte. */
const rewrite = (change) => ({ write: (bytes, wire) => wire.write(Buffer.from(change(bytes.toString("latin1")), "latin1")) });

/** Changes the frames of one type. */
const change = (type, changed) => ({
	send: (put, line, head, body) => (line.type === type ? put(...changed(line, head, body)) : put(line, head, body)),
});

/** Does something after the frames of one type. */
const after = (type, more) => ({
	send(put, line, head, body, wire) {
		put(line, head, body);
		if (line.type === type) more(put, line, wire);
	},
});

/** Does something before the frames of one type. */
const before = (type, more) => ({
	send(put, line, head, body, wire) {
		if (line.type === type) more(put, line, wire);
		put(line, head, body);
	},
});

/** Replaces the handling of the loader's frames of one type. */
const on = (type, act) => ({ receive: (frame, take, put) => (frame.type === type ? act(frame, take, put) : take(frame)) });

/** Keeps the process alive until it is killed. */
const stayAlive = () => setInterval(() => {}, 60_000);

let queue = Promise.resolve();
const held = [];
let halves = [];

/** The faults of a worker: each changes the correct worker in `serve.mjs`. */
export const faults = {
	"closes the wire and runs on": after("result", (_put, _line, wire) => {
		wire.destroy();
		stayAlive();
	}),
	"lets a child hold the wire": on("call", (call, _take, put) => {
		const { pid } = spawn("sleep", ["30"], { stdio: ["ignore", "ignore", "ignore", 3] });
		put({ type: "result", id: call.id }, "", String(pid));
	}),
	"leaves when it has answered": {
		send(put, line, head, body, wire) {
			put(line, head, body);
			if (line.id === 2) wire.end(() => process.exit(0));
		},
	},
	"outlives the wire": { wire: { onEnd: stayAlive } },
	"prints nothing": before("ready", () => {
		console.log = console.error = () => {};
	}),

	"writes what is not JSON": before("result", (_put, _line, wire) => wire.write("hello\n")),
	"writes a JSON list": rewrite((text) => text.replace(/^(\{.*\})\n/, "[$1]\n")),
	"writes bytes that are not UTF-8": rewrite((text) => text.replace('"type":"result"', '"type":"result","name":"\xff"')),
	"ends its lines in CR LF": rewrite((text) => text.replace("}\n", "}\r\n")),
	"declares one byte less than it sends": rewrite((text) => text.replace(/"body":(\d+)\}/, (_, n) => `"body":${n - 1}}`)),
	"declares one byte more than it sends": rewrite((text) => text.replace(/"body":(\d+)\}/, (_, n) => `"body":${Number(n) + 1}}`)),
	"exits within a frame": {
		send(put, line, head, body, wire) {
			if (line.id !== 2) return put(line, head, body);
			wire.end('{"type":"result","id":2,"body":9}\nciao', () => process.exit(0));
		},
	},
	"leaves the type away": rewrite((text) => text.replace('"type":"result",', "")),
	"sends a type of its own": before("result", (put) => put({ type: "progress" })),
	"writes null": before("result", (_put, _line, wire) => wire.write("null\n")),
	"stumbles over an unknown type": on("novelty", () => process.exit(1)),
	"writes a line over 1 MiB": change("result", (line, ...rest) => [{ ...line, padding: "x".repeat(2 ** 20) }, ...rest]),
	"writes a line without end": before("result", (_put, _line, wire) => wire.write("x".repeat(2 ** 20 + 1))),
	"declares a length below 0": rewrite((text) => text.replace(/"body":\d+\}/, '"body":-1}')),
	"declares a length over 1 GiB": rewrite((text) => text.replace(/"body":\d+\}/, '"body":2000000000}')),
	"declares a length in text": rewrite((text) => text.replace(/"body":(\d+)\}/, '"body":"$1"}')),
	"sends a head over 1 MiB": change("result", (line, _head, body) => [line, `X-Name: ${"a".repeat(2 ** 20)}\r\n`, body]),
	"sends an id in text": change("result", (line, ...rest) => [{ ...line, id: String(line.id) }, ...rest]),
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
	"lives on after a broken line": { wire: { onBroken: () => {} } },
	"exits with 0 at a broken line": { wire: { onBroken: () => process.exit(0) } },

	"is ready late": { send: (put, ...frame) => (frame[0].type === "ready" ? setTimeout(put, 60_000, ...frame) : put(...frame)) },
	"ends before it is ready": before("ready", () => process.exit(3)),
	"answers before it is ready": before("ready", (put) => put({ type: "result", id: 1 })),
	"is ready twice": after("ready", (put, line) => put(line)),
	"fails after it was ready": after("ready", (put) => put({ type: "failed", code: "HANDLER_FAILED_TO_LOAD", message: "after all" })),
	"speaks another version": change("ready", (line, ...rest) => [{ ...line, wire: 2 }, ...rest]),
	"speaks a version there is not yet": change("ready", (line, ...rest) => [{ ...line, wire: Number(process.env.KUBELESS_WIRE) }, ...rest]),
	"does not name its handler": change("ready", (line, ...rest) => [{ ...line, handler: undefined }, ...rest]),
	"declares a concurrency of 0": change("ready", (line, ...rest) => [{ ...line, concurrency: 0 }, ...rest]),
	"declares an ahead that is not a count": change("ready", (line, ...rest) => [{ ...line, ahead: "some" }, ...rest]),
	"fails without a list of handlers": change("failed", (line, ...rest) => [{ ...line, handlers: undefined }, ...rest]),
	"fails with a code of its own": change("failed", (line, ...rest) => [{ ...line, code: "OOPS" }, ...rest]),
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
	"sends a status that is no answer": change("result", (line, ...rest) => [{ ...line, status: 103 }, ...rest]),
	"sends a status that is none": change("result", (line, ...rest) => [{ ...line, status: 99 }, ...rest]),
	"loses a header that comes twice": change("result", (line, head, body) => [line, head.replace("Set-Cookie: a=1\r\n", ""), body]),
	"begins an answer twice": after("head", (put, line) => put(line)),
	"sends a whole answer after its beginning": after("head", (put, line) => put({ type: "result", id: line.id })),
	"ends an answer that it has not begun": before("result", (put, line) => put({ type: "end", id: line.id })),
	"sends a chunk before the head": before("head", (put, line) => put({ type: "chunk", id: line.id })),
	"breaks off an answer that has ended": after("end", (put, line) => put({ type: "error", id: line.id, message: "after all" })),
	"begins what it is to give back": inTurn({ heedsWithdraw: false }),
	"begins the last call first": inTurn({ next: (waiting) => waiting.pop() }),
	"gives back a call without withdraw": change("result", (line) => [{ type: "withdrawn", id: line.id }]),
	"ends twice": after("end", (put, line) => put(line)),
	"sends less than it declared": { send: (put, line, ...rest) => (line.type === "chunk" ? undefined : put(line, ...rest)) },
	"sends more than it declared": before("end", (put, line) => put({ type: "chunk", id: line.id }, "", "more")),
	"sends an error without a message": change("error", (line, ...rest) => [{ ...line, message: undefined }, ...rest]),
	"sends an error with a code of its own": change("error", (line, ...rest) => [{ ...line, code: "OOPS" }, ...rest]),
	"calls the handler with malformed JSON": on("call", (call, take) => take({ ...call, json: false })),
	"dies of an error": after("error", (_put, _line, wire) => wire.end(() => process.exit(1))),
	"takes bytes for text": on("call", (call, take) => take({ ...call, bodyBytes: Buffer.from(String(call.bodyBytes ?? "")) })),

	"ignores pause": on("pause", () => {}),
	"ignores resume": on("resume", () => {}),
	"sends large results whole": { whole: Number.POSITIVE_INFINITY },
	"holds back a chunk until the next": {
		send(put, ...frame) {
			if (frame[0].type === "chunk" && held.length === 0) return held.push(frame);
			for (const earlier of held.splice(0)) put(...earlier);
			if (frame[0].type === "chunk") held.push(frame);
			else put(...frame);
		},
	},
	"does not answer what is cancelled": {
		receive(frame, take) {
			if (frame.type === "cancel") held.push(frame.id);
			take(frame);
		},
		send: (put, line, ...rest) => (held.includes(line.id) ? undefined : put(line, ...rest)),
	},
	"answers twice what is cancelled": on("cancel", (frame, take, put) => {
		put({ type: "error", id: frame.id, code: "CANCELLED", message: "the caller left" });
		take(frame);
	}),
	"goes on logging after stop": on("stop", (_frame, _take, put) => {
		setInterval(() => put({ type: "log", stream: "stdout" }, "", "still here\n"), 10);
	}),
	"ignores stop": on("stop", () => {}),
	"exits with 3 after stop": { stopExit: 3 },
	"drops its calls after stop": on("stop", () => process.exit(0)),
	"answers once more after stop": on("stop", (frame, take, put) => {
		put({ type: "result", id: 1 });
		take(frame);
	}),

	"logs to a stream there is not": before("result", (put, line) => put({ type: "log", stream: "stdlog", id: line.id }, "", "hello\n")),
	"logs for a call that is over": after("result", (put, line) => put({ type: "log", stream: "stdout", id: line.id }, "", "hello\n")),
	"logs what is not UTF-8": before("result", (put, line) =>
		put({ type: "log", stream: "stdout", id: line.id }, "", Buffer.from([255, 10])),
	),
};

function takeInTurn(call, take) {
	const turn = queue;
	queue = new Promise((resolve) => held.push(resolve));
	turn.then(() => take(call));
}
