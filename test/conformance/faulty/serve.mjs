import { frame, openWire } from "./wire.mjs";

/** Answers longer than this are sent in chunks (PROTOCOL 5.2), in bytes. */
const WHOLE = 256 * 1024;
const CHUNK = 64 * 1024;
/**
 * The maximum length of a message, so that its line fits the limit (PROTOCOL 2.3), in characters.
 */
const MESSAGE = 10_000;

/**
 * Runs a worker that keeps every rule, except for what the twist changes. A twist's functions
 * replace the worker's own, which they get as an argument. `send` gets an answer's line, head and
 * body, `write` a frame's bytes, `receive` a frame of the loader.
 */
export async function serve(twist = {}) {
	const { KUBELESS_HANDLER_FILE: file, FUNC_HANDLER: wanted = "" } = process.env;
	const calls = new Map();
	let stopping = false;

	const wire = openWire({
		onFrame: (given) => (twist.receive ? twist.receive(given, receive, put) : receive(given)),
		...twist.wire,
	});
	const write = (bytes) => (twist.write ? twist.write(bytes, wire) : wire.write(bytes));
	const put = (line, head, body) => write(frame(line, head, body));
	put.raw = write;
	const send = (line, head = "", body = "") => (twist.send ? twist.send(put, line, head, body, wire) : put(line, head, body));

	const fail = (code, error, more = {}) => {
		send({ type: "failed", code, message: `${error.message} (${file})`, ...more });
		wire.end(() => process.exit(twist.failedExit ?? 1));
	};

	let handlers;
	try {
		handlers = await import(file);
	} catch (error) {
		// Node.js has the line of a syntax error only in the first line of the stack.
		const [place = ""] = (error.stack ?? "").split("\n");
		return fail("HANDLER_FAILED_TO_LOAD", { message: `${error.message} at ${place}${await syntaxPlace(file)}` });
	}
	const names = Object.keys(handlers);
	const name = wanted || (names.length === 1 ? names[0] : "");
	if (!handlers[name]) return fail("HANDLER_NOT_FOUND", new Error(`there is no handler "${name}"`), { handlers: names });
	send({ type: "ready", wire: 1, handler: name, concurrency: 20, envelopes: true });

	function receive(given) {
		const call = calls.get(given.id);
		if (given.type === "call") run(given);
		if (given.type === "cancel" && call) call.cancelled = true;
		if (given.type === "pause" && call) call.paused = new Promise((resolve) => Object.assign(call, { resume: resolve }));
		if (given.type === "resume") call?.resume?.();
		if (given.type === "stop") stopping = true;
		leave();
	}

	function leave() {
		if (stopping && calls.size === 0) wire.end(() => process.exit(twist.stopExit ?? 0));
	}

	async function run(given) {
		const { id } = given;
		const call = { paused: undefined, cancelled: false };
		calls.set(id, call);
		// The event's data is before its envelope (PROTOCOL 4.11).
		if (given.envelope !== undefined) given.bodyBytes = given.data === undefined ? undefined : given.bodyBytes.subarray(0, given.data);
		try {
			if (given.json && given.bodyBytes?.length) parse(given.bodyBytes);
			const value = await handlers[name](given, process.env);
			if (typeof value[Symbol.asyncIterator] === "function") await stream(id, call, value);
			else await answer(id, call, value);
		} catch (error) {
			const { code = "FUNCTION_THREW", message, stack } = error;
			send({ type: "error", id, code, message: message.slice(0, MESSAGE), stack: stack.slice(-MESSAGE) });
		}
		calls.delete(id);
		leave();
	}

	async function stream(id, call, pieces) {
		send({ type: "head", id });
		for await (const piece of pieces) await chunk(id, call, piece);
		send({ type: "end", id });
	}

	async function answer(id, call, value) {
		const { status, head = "", body = value } = value;
		if (typeof body === "symbol") throw Object.assign(new Error(`${String(body)} cannot be sent`), { code: "RESULT_INVALID" });
		const bytes = Buffer.from(body);
		if (bytes.length <= (twist.whole ?? WHOLE)) return send({ type: "result", id, status }, head, bytes);
		send({ type: "head", id, status }, `${head}Content-Length: ${bytes.length}\r\n`);
		for (let at = 0; at < bytes.length; at += CHUNK) {
			await new Promise(setImmediate); // other calls come between
			await chunk(id, call, bytes.subarray(at, at + CHUNK));
		}
		send({ type: "end", id });
	}

	async function chunk(id, call, bytes) {
		await call.paused;
		send({ type: "chunk", id }, "", bytes);
	}
}

function parse(bytes) {
	try {
		JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch (error) {
		throw Object.assign(error, { code: "BODY_MALFORMED" });
	}
}

async function syntaxPlace(file) {
	const { spawnSync } = await import("node:child_process");
	return spawnSync(process.execPath, ["--check", file], { encoding: "utf8" }).stderr.split("\n")[0];
}
