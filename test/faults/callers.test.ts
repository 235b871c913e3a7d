import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import { folder, type Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { residentBytes } from "../support/processes.ts";
import { everyRuntime } from "../support/runtimes.ts";
import { WireTap } from "../support/wire-tap.ts";

const MB = 1024 * 1024;
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("a caller", () => {
	const owner = suiteOwner();
	const journal = join(folder(owner, { journal: "" }), "journal");
	const noted = () => readFileSync(journal, "utf8").trim().split("\n");
	let loader: Loader;
	before(async () => {
		loader = await startFake(owner, { FAKE_JOURNAL: journal });
	});

	test("a caller that shuts down its writing side still gets its answer", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.socket.end("GET /slow?250 HTTP/1.1\r\nHost: x\r\n\r\n");
		assert.match(await tap.until(/slow$/), /HTTP\/1\.1 200 OK/);
	});

	test("an HTTP/1.0 caller that shuts down its writing side still gets its answer", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.socket.end("GET /slow?250 HTTP/1.0\r\n\r\n");
		assert.match(await tap.untilEnd(), /^HTTP\/1\.1 200 OK[^]*slow$/);
	});

	test("a caller that disconnects during its call: the worker gets cancel, and no call stays in flight", async () => {
		const gone = new AbortController();
		const call = loader.ask({ path: "/hang", signal: gone.signal }).catch(() => "gone");
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		gone.abort();
		assert.equal(await call, "gone");
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		const id = noted()
			.findLast((line) => /^call \d+ \/hang$/.test(line))
			?.split(" ")[1];
		while (!noted().includes(`cancel ${id}`)) await new Promise((resolve) => setTimeout(resolve, 10));
		assert.equal((await loader.figures()).exits("protocol"), 0);
	});

	for (const [what, request] of [
		["a caller that sent Expect", "POST /hang HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nciao"],
		["a caller that requests an upgrade", "GET /hang HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
	] as const) {
		for (const way of ["resets", "closes"] as const) {
			test(`${what} and ${way} the connection: its call is cancelled`, async (t) => {
				const tap = await WireTap.open(loader.port, t);
				tap.write(request);
				await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
				if (way === "resets") tap.socket.resetAndDestroy();
				else tap.socket.destroy();
				await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
			});
		}
	}

	test("pipelined calls are all cancelled when their caller disconnects", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
		await loader.figuresWhen("the calls", ({ inFlight }) => inFlight === 3);
		tap.socket.resetAndDestroy();
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
	});

	test("of pipelined calls the first is answered whole if the second one breaks off, and the connection ends", async (t) => {
		const own = await startFake(t, { SHUTDOWN_TIMEOUT: "60" });
		const tap = await WireTap.open(own.port, t);
		const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
		tap.write(`${get("/slow?300")}${get("/midway")}${get("/hang")}`);
		const text = await tap.untilEnd();
		assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*slow/);
		assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
		await own.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		const begun = performance.now();
		assert.equal((await own.stop()).code, 0);
		assert.ok(performance.now() - begun < 30_000, "the broken answer held the drain up");
	});

	test("an upgrade or CONNECT pipelined behind a running call is answered after it, and the loader stays healthy", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /slow?200 HTTP/1.1\r\nHost: x\r\n\r\nGET /pid HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
		assert.equal((await tap.until(/slow[^]*\r\n\r\n\d+$/)).match(/HTTP\/1\.1 200 OK/g)?.length, 2);
		const connect = await WireTap.open(loader.port, t);
		connect.write("GET /slow?200 HTTP/1.1\r\nHost: x\r\n\r\nCONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n");
		assert.match(await connect.untilEnd(), /slow[^]*HTTP\/1\.1 501 /);
		assert.equal((await loader.ask("/healthz")).status, 200);
	});

	test("a caller that disconnects during its upload: the function is not called, and no call stays in flight", async (t) => {
		const before = noted().length;
		const tap = await WireTap.open(loader.port, t);
		tap.write("POST /unfinished HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this");
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		tap.socket.resetAndDestroy();
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
		assert.ok(
			noted()
				.slice(before)
				.every((line) => !line.includes("/unfinished")),
		);
	});

	test("a caller that sends its body byte by byte is served, and /healthz answers meanwhile", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.socket.setNoDelay(true);
		tap.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
		for (const digit of "0123456789") {
			tap.write(digit);
			assert.equal((await loader.ask("/healthz")).text, "OK");
		}
		await tap.until(/\r\n\r\n0123456789$/);
	});

	test("a caller that pipelines three requests gets three answers in order", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		const post = (path: string, body: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
		tap.write(`${post("/slow?150", "")}${post("/", "second")}${post("/", "third")}`);
		const text = await tap.until(/third$/);
		assert.deepEqual(text.match(/slow|second|third/g), ["slow", "second", "third"]);
	});

	test("a request with an unsupported Upgrade is served like a request without it", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n");
		assert.match(await tap.write("Content-Length: 4\r\n\r\nciao").until(/ciao$/), /^HTTP\/1\.1 200 OK/);
	});

	test("a worker is paused and resumed for a slow caller, which gets every byte", async () => {
		assert.equal(await slowly(loader, "/deaf?40", 20), 40 * MB);
		const { inFlight } = await loader.figures();
		assert.equal(inFlight, 0);
		assert.ok(noted().some((line) => line.startsWith("pause ")) && noted().some((line) => line.startsWith("resume ")));
	});

	test("a worker that ignores pause is ended, and the answer is cut", async (t) => {
		const own = await startFake(t);
		const tap = await WireTap.open(own.port, t);
		tap.socket.pause();
		tap.write("GET /deaf?300 HTTP/1.1\r\nHost: x\r\n\r\n");
		await own.figuresWhen("the worker's end", (figures) => figures.exits("protocol") === 1);
		assert.ok(residentBytes(own.child.pid as number) < 300 * MB, "the loader buffered the whole answer");
		tap.socket.resume();
		assert.doesNotMatch((await tap.untilEnd()).slice(-100), /\r\n0\r\n\r\n$/);
		assert.equal((await own.ask({ body: "served on" })).text, "served on");
	});
});

/** Reads an answer with `pauses` pauses of 25 ms. Returns its length in bytes. */
function slowly({ port }: Loader, path: string, pauses: number, body?: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const request = http.request({ port, path, method: body === undefined ? "GET" : "POST", agent: false }, async (response) => {
			let length = 0;
			let left = pauses;
			try {
				for await (const chunk of response) {
					length += chunk.length;
					if (left-- > 0) await new Promise((next) => setTimeout(next, 25));
				}
				resolve(length);
			} catch (error) {
				reject(error);
			}
		});
		request.on("error", reject);
		request.end(body);
	});
}

everyRuntime("large bodies", ({ serve }) => {
	test("three bodies of 10 MB at once come back byte for byte", async (t) => {
		const loader = await serve(t, "echoes");
		const bodies = [1, 2, 3].map(() => randomBytes(10 * MB));
		const headers = { "Content-Type": "application/octet-stream" };
		const answers = await Promise.all(bodies.map((body) => loader.ask({ body, headers })));
		assert.deepEqual(
			answers.map(({ status, body }) => [status, digest(body)]),
			bodies.map((body) => [200, digest(body)]),
		);
	});

	test("an answer of 100 MB to a slow caller is not buffered in the loader", async (t) => {
		const loader = await serve(t, "streams");
		const pid = loader.child.pid as number;
		await slowly(loader, "/", 0, "10 1000 0");
		const before = residentBytes(pid);
		let most = 0;
		const watch = setInterval(() => {
			most = Math.max(most, residentBytes(pid));
		}, 10);
		const length = await slowly(loader, "/", 10, "100 1048576 0");
		clearInterval(watch);
		assert.equal(length, 100 * MB);
		assert.ok(most - before < 130 * MB, `the loader grew by ${Math.round((most - before) / MB)} MB`);
	});
});
