import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test, { before, describe } from "node:test";
import { command, startCommand } from "../support/commands.ts";
import { folder, type Loader, runLoader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { processesOf, residentBytes, untilGone } from "../support/processes.ts";
import { WireTap } from "../support/wire-tap.ts";

const MB = 1024 * 1024;
const FAILED = "500 Internal Server Error";
const DIED = "502 Bad Gateway: the function's process ended";

/** Returns status and text of an answer, or "broken off" if it was incomplete. */
const outcome = (loader: Loader, path: string): Promise<string> =>
	loader.ask({ path }).then(
		({ status, text }) => `${status} ${text}`,
		() => "broken off",
	);
/** Returns the process ids of running commands. The loader has no other child processes here. */
const commandsOf = (loader: Loader) => processesOf(loader.marker).filter((pid) => pid !== loader.child.pid);

const untilNone = (loader: Loader): Promise<void> => untilGone(loader.marker, loader.child.pid);

describe("a command that is run for each call", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startCommand(owner, { REQ_MB_LIMIT: "20", FUNC_TIMEOUT: "2" });
	});

	test("a command gets the body on standard input, and its output is the answer, byte for byte", async () => {
		for (const length of [0, 1, 1000, 64 * 1024 + 1, 5 * MB]) {
			const body = randomBytes(length);
			for (const headers of [{ "Content-Length": String(length) }, { "Transfer-Encoding": "chunked" }]) {
				const got = await loader.ask({ path: "/echo", body, headers: { ...headers, "Content-Type": "image/png" } });
				assert.deepEqual([got.status, got.headers["content-type"]], [200, "image/png"]);
				assert.ok(got.body.equals(body), `${length} bytes, ${JSON.stringify(headers)}`);
			}
		}
	});

	test("a command gets its call and its event in CGI variables", async () => {
		const headers = {
			Host: "shop.example:81",
			"X-Two": ["1", "2"],
			Cookie: ["a=1", "b=2"],
			"Content-Type": "text/plain",
			Proxy: "http://evil.example",
			X_Two: "a different header from X-Two",
			"event-id": "7",
			"ce-specversion": "1.0",
			"ce-id": "7",
			"ce-source": "/shop",
			"ce-type": "order",
		};
		const { text } = await loader.ask({ path: "/variables?a=b%20c", body: "four", headers });
		const variables = new Map(text.split("\n").map((line) => line.split(/=(.*)/s) as [string, string]));
		const want = {
			REQUEST_METHOD: "POST",
			PATH_INFO: "/variables",
			QUERY_STRING: "a=b%20c",
			REQUEST_URI: "/variables?a=b%20c",
			CONTENT_TYPE: "text/plain",
			HTTP_X_TWO: "1, 2",
			HTTP_COOKIE: "a=1; b=2",
			SERVER_NAME: "shop.example",
			SERVER_PORT: "81",
			REMOTE_ADDR: "127.0.0.1",
			GATEWAY_INTERFACE: "CGI/1.1",
			EVENT_ID: "7",
			FUNC_TIMEOUT: "2",
		};
		for (const [name, value] of Object.entries(want)) assert.equal(variables.get(name), value, name);
		assert.equal(variables.has("HTTP_PROXY"), false, "a caller does not set the proxy of programs");
	});

	for (const [path, status, headers, body] of [
		["/status", 418, { "x-name": "Ada", "set-cookie": ["a=1", "b=2"] }, "short"],
		["/location", 302, { location: "/elsewhere" }, ""],
		["/crlf", 201, { "x-name": "Ada" }, "made\r\n"],
		["/split", 200, { "content-type": "text/plain" }, "late"],
	] as const) {
		test(`the headers that a command prints (${path}) are the headers of the answer`, async () => {
			const got = await loader.ask(path);
			assert.deepEqual([got.status, got.text], [status, body]);
			for (const [name, value] of Object.entries(headers)) assert.deepEqual(got.headers[name], value);
		});
	}

	for (const [path, expected] of [
		["/exit", "broken off"],
		["/half", "broken off"],
		["/half-signal", "broken off"],
		["/short", "broken off"],
		["/signal", DIED],
		["/no-head", FAILED],
		["/no-end", FAILED],
		["/nothing", FAILED],
		["/bad-status", FAILED],
		["/long-head", FAILED],
		["/bad-value", FAILED],
		["/sleep?9", "408 Request Timeout: the function did not answer in time"],
		["/sleep-below", "408 Request Timeout: the function did not answer in time"],
		["/deaf", "408 Request Timeout: the function did not answer in time"],
		["/busy", "408 Request Timeout: the function did not answer in time"],
		["/closes", "200 closed"],
		["/heir", "200 first"],
		["/unread", "200 unread"],
	] as const) {
		test(`a command that fails or stops early (${path}): the caller gets ${JSON.stringify(expected)}, and no process is left`, async () => {
			const got = await outcome(loader, path);
			// If the command fails before the loader has forwarded bytes, the caller gets a complete error
			// answer.
			assert.ok(got === expected || (expected === "broken off" && (got === FAILED || got === DIED)), got);
			await untilNone(loader);
			assert.equal(await outcome(loader, "/hello"), "200 hello");
			assert.equal((await loader.figures()).inFlight, 0);
		});
	}

	test("a command that prints more than its Content-Length does not affect the next answer", async () => {
		const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
		for (let round = 0; round < 3; round++) {
			const got = await loader.ask({ path: "/long", agent }).catch(() => undefined);
			if (got) assert.ok([200, 500, 502].includes(got.status) && (got.status !== 200 || got.text === "lon"), `${got.status} ${got.text}`);
			assert.equal((await loader.ask({ path: "/hello", agent })).text, "hello");
		}
		agent.destroy();
	});

	test("a command that leaves child processes is answered at once, and they are killed", async () => {
		const { status, ms } = await loader.ask("/left-behind");
		assert.equal(status, 200);
		assert.ok(ms < 1500, `after ${ms} ms`);
		await untilNone(loader);
	});

	test("a command is answered even if a process outside its group keeps its output open", async () => {
		const { text, ms } = await loader.ask("/escaped");
		assert.equal(text, "done");
		assert.ok(ms < 1500, `after ${ms} ms`);
		await untilNone(loader);
	});

	test("a command's standard error is in the log with its call", async () => {
		await loader.ask("/stderr");
		const record = await loader.said(({ stream, msg }) => stream === "stderr" && msg === "a word");
		assert.ok(record["call"] !== undefined, JSON.stringify(record));
	});

	test("a failed command is in the log with its cause and counts as failed", async () => {
		const before = (await loader.figures()).of('function_failures_total{method="GET"}');
		await outcome(loader, "/signal");
		await loader.said(({ code, msg }) => code === "WORKER_DIED" && /SIGKILL/.test(msg ?? ""));
		await outcome(loader, "/no-head");
		await loader.said(({ code, msg }) => code === "RESULT_INVALID" && /does not begin with headers, but with "just words"/.test(msg ?? ""));
		assert.equal((await loader.figures()).of('function_failures_total{method="GET"}'), before + 2);
	});

	test("a command's output reaches the caller while the command still runs", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n");
		await tap.until(/one\n/);
		assert.doesNotMatch(tap.text, /three/);
		await tap.until(/three\n/);
	});

	test("a command reads an upload while it arrives", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
		await tap.until(/hello/);
		tap.write("5\r\nworld\r\n0\r\n\r\n");
		await tap.until(/world/);
	});

	test("a slow caller slows the command down, and the loader buffers little of its output", async (t) => {
		const before = await residentBytes(loader.child.pid as number);
		const tap = await WireTap.open(loader.port, t);
		tap.socket.pause();
		tap.write(`GET /many?${300 * MB} HTTP/1.1\r\nHost: x\r\n\r\n`);
		await new Promise((resolve) => setTimeout(resolve, 800));
		assert.ok(commandsOf(loader).length > 0, "it still writes");
		const grown = (await residentBytes(loader.child.pid as number)) - before;
		assert.ok(grown < 60 * MB, `the loader grew by ${Math.round(grown / MB)} MB`);
		tap.socket.destroy();
		await untilNone(loader);
	});

	test("a command is ended when its caller disconnects", async () => {
		const gone = new AbortController();
		const call = loader.ask({ path: "/sleep?30", signal: gone.signal }).catch(() => "gone");
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		gone.abort();
		assert.equal(await call, "gone");
		await untilNone(loader);
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
	});

	test("a body over REQ_MB_LIMIT ends the command before it sees the end of its input", async () => {
		const agent = new http.Agent({ keepAlive: true });
		for (const headers of [{ "Content-Length": String(21 * MB) }, { "Transfer-Encoding": "chunked" }]) {
			const got = await loader.ask({ path: "/count", body: Buffer.alloc(21 * MB), headers, agent });
			assert.equal(got.status, 413);
		}
		agent.destroy();
		await untilNone(loader);
	});
});

test("a command whose upload is cut is ended before it sees the end of its input", async (t) => {
	const place = folder(t);
	const marks = join(place, "marks");
	const loader = await startCommand(t, { MARKS: marks });
	const tap = await WireTap.open(loader.port, t);
	tap.write("POST /mark?begun HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf");
	await poll(
		() => existsSync(marks) || undefined,
		() => "the command did not start",
	);
	tap.socket.resetAndDestroy();
	await untilNone(loader);
	assert.equal(readFileSync(marks, "utf8"), "begun\n");
});

test("at most FUNC_CONCURRENCY commands run at once, and every call is run once", async (t) => {
	const marks = join(folder(t), "marks");
	const loader = await startCommand(t, { FUNC_CONCURRENCY: "2", MARKS: marks });
	const slow = [1, 2, 3, 4, 5].map(() => loader.ask("/sleep?0.4"));
	let most = 0;
	const watching = setInterval(() => {
		// Each call has two processes: sh and sleep.
		most = Math.max(most, commandsOf(loader).length);
	}, 20);
	for (const { text } of await Promise.all(slow)) assert.equal(text, "slept");
	clearInterval(watching);
	assert.ok(most >= 2 && most <= 4, `${most} processes ran at once`);
	await Promise.all(Array.from({ length: 20 }, (_, call) => loader.ask({ path: `/mark?${call}`, method: "POST" })));
	const seen = readFileSync(marks, "utf8")
		.split("\n")
		.filter((line) => /^\d/.test(line));
	assert.deepEqual(
		seen.map(Number).sort((a, b) => a - b),
		Array.from({ length: 20 }, (_, call) => call),
	);
});

test("SIGTERM lets running commands finish, and no process is left", async (t) => {
	const loader = await startCommand(t);
	const running = [1, 2, 3].map(() => loader.ask("/sleep?0.6"));
	await loader.figuresWhen("three calls", ({ inFlight }) => inFlight === 3);
	loader.signal();
	for (const { status, text } of await Promise.all(running)) assert.deepEqual([status, text], [200, "slept"]);
	assert.deepEqual(await loader.ended, { code: 0, signal: null });
	await untilGone(loader.marker);
});

test("commands that do not finish within SHUTDOWN_TIMEOUT are killed when the loader exits", async (t) => {
	const loader = await startCommand(t, { SHUTDOWN_TIMEOUT: "0.5" });
	const call = outcome(loader, "/deaf");
	await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
	assert.deepEqual(await loader.stop(), { code: 0, signal: null });
	assert.match(await call, /^(broken off|50[0-9] .*)$/);
	await untilGone(loader.marker);
});

describe("a command without headers", () => {
	const plain = (script: string) => ({ worker: ["sh", "-c", script], stdio: undefined });

	test("a command without headers answers with its whole output as text", async (t) => {
		const loader = await startCommand(t, {}, plain("cat; printf ' and more'"));
		const got = await loader.ask({ body: "some" });
		assert.deepEqual([got.status, got.headers["content-type"], got.text], [200, "text/plain; charset=utf-8", "some and more"]);
	});

	test("a command without headers that fails is answered 500 without its output", async (t) => {
		const loader = await startCommand(t, {}, plain("head -c 60000 /dev/zero; sleep 0.2; exit 4"));
		assert.equal(await outcome(loader, "/"), FAILED);
		await loader.said(({ code, msg }) => code === "FUNCTION_THREW" && msg === "the command ended with exit code 4");
	});

	test("a command without headers that fails after a large output: the answer is broken off", async (t) => {
		const loader = await startCommand(t, {}, plain("head -c 300000 /dev/zero; sleep 0.2; exit 4"));
		assert.match(await outcome(loader, "/"), /^(broken off|500 .*)$/);
	});

	test("the message for a command that is not installed names the command, and the start fails", async (t) => {
		const { code, stderr } = await runLoader(t, command(t, {}, { worker: ["no-such-command"] }));
		assert.equal(code, 1);
		assert.match(stderr, /"no-such-command" is not installed or not on PATH/);
	});

	test("calls are answered 502 while the command's file is missing, and succeed when it is back", async (t) => {
		const place = folder(t, { "tool.sh": "#!/bin/sh\nprintf here\n" });
		const tool = join(place, "tool.sh");
		chmodSync(tool, 0o755);
		const loader = await startCommand(t, {}, { worker: [tool], stdio: undefined });
		assert.equal(await outcome(loader, "/"), "200 here");
		rmSync(tool);
		assert.equal(await outcome(loader, "/"), DIED);
		assert.equal((await loader.ask("/healthz")).status, 200);
		writeFileSync(tool, "#!/bin/sh\nprintf again\n", { mode: 0o755 });
		assert.equal(await outcome(loader, "/"), "200 again");
	});
});
