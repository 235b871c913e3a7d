import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import test, { before, describe } from "node:test";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { residentBytes } from "../support/processes.ts";
import { startServer } from "../support/servers.ts";
import { WireTap } from "../support/wire-tap.ts";

const MB = 1024 * 1024;
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

interface Seen {
	readonly method: string;
	readonly url: string;
	readonly headers: string[];
	readonly body: string;
}

describe("an ordinary HTTP server as a worker", () => {
	const owner = suiteOwner();
	let loader: Loader;
	before(async () => {
		loader = await startServer(owner, { env: { REQ_MB_LIMIT: "40" } });
	});

	/** Returns the request as the server received it. */
	async function seen(asked: Parameters<Loader["ask"]>[0]): Promise<Seen> {
		return JSON.parse((await loader.ask(asked)).text);
	}
	const valuesOf = ({ headers }: Seen, name: string) =>
		headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name.toLowerCase());

	test("a server gets the method, path and query unchanged", async () => {
		for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
			const got = await seen({
				method,
				path: "/seen?a=b%20c&a=d&%E4=",
				...(method !== "GET" && { body: "x", headers: { "Content-Length": "1" } }),
			});
			assert.deepEqual([got.method, got.url], [method, "/seen?a=b%20c&a=d&%E4="]);
		}
		assert.equal((await loader.ask("/a%2Fb//c")).text, "hello /a%2Fb//c");
	});

	test("a server gets the headers unchanged, without hop-by-hop headers", async () => {
		const got = await seen({
			path: "/seen",
			headers: [
				...["Host", "example.org", "X-Two", "1", "X-Two", "2", "X-Bytes", "caf\xe9", "Cookie", "a=1; b=2"],
				...[
					"Connection",
					"keep-alive, X-Hop",
					"X-Hop",
					"gone",
					"TE",
					"trailers",
					"Keep-Alive",
					"timeout=5",
					"Proxy-Authorization",
					"secret",
				],
				...["Authorization", "Bearer t", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
			],
		});
		assert.deepEqual(valuesOf(got, "x-two"), ["1", "2"]);
		assert.deepEqual(valuesOf(got, "x-bytes"), ["caf\xe9"]);
		assert.deepEqual(valuesOf(got, "host"), ["example.org"]);
		assert.deepEqual(valuesOf(got, "cookie"), ["a=1; b=2"]);
		assert.deepEqual(valuesOf(got, "authorization"), ["Bearer t"]);
		assert.deepEqual(valuesOf(got, "traceparent"), ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]);
		for (const name of ["x-hop", "te", "keep-alive", "proxy-authorization"]) assert.deepEqual(valuesOf(got, name), [], name);
	});

	test("a server gets the caller in X-Forwarded-* headers, appended to those of proxies", async () => {
		const plain = await seen({ path: "/seen", headers: { Host: "shop.example" } });
		assert.deepEqual(valuesOf(plain, "x-forwarded-for"), ["127.0.0.1"]);
		assert.deepEqual(valuesOf(plain, "x-forwarded-proto"), ["http"]);
		assert.deepEqual(valuesOf(plain, "x-forwarded-host"), ["shop.example"]);
		const proxied = await seen({
			path: "/seen",
			headers: { Host: "inner", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example" },
		});
		assert.deepEqual(valuesOf(proxied, "x-forwarded-for"), ["203.0.113.9, 127.0.0.1"]);
		assert.deepEqual(valuesOf(proxied, "x-forwarded-proto"), ["https"]);
		assert.deepEqual(valuesOf(proxied, "x-forwarded-host"), ["shop.example"]);
	});

	test("a server gets the event's fields as headers, from the caller's headers or from a CloudEvent", async () => {
		const own = await seen({ path: "/seen", headers: { "event-id": "7", "Event-Type": "t", "ce-specversion": "1.0", "ce-id": "8" } });
		assert.deepEqual([valuesOf(own, "event-id"), valuesOf(own, "event-type")], [["7"], ["t"]]);
		const binary = await seen({
			path: "/seen",
			headers: { "ce-specversion": "1.0", "ce-id": "8", "ce-source": "/s", "ce-type": "ty", "ce-time": "2026-11-22T00:00:00Z" },
		});
		assert.deepEqual(
			["event-id", "event-namespace", "event-type", "event-time", "ce-id"].map((name) => valuesOf(binary, name)[0]),
			["8", "/s", "ty", "2026-11-22T00:00:00Z", "8"],
		);
		const envelope = JSON.stringify({ specversion: "1.0", id: "9\n€", source: "s", type: "u", data: { a: 1 } });
		const structured = await seen({ path: "/seen", body: envelope, headers: { "Content-Type": "application/cloudevents+json" } });
		assert.deepEqual([valuesOf(structured, "event-id"), valuesOf(structured, "event-type")], [["9%0A%E2%82%AC"], ["u"]]);
		assert.equal(Buffer.from(structured.body, "base64").toString(), envelope, "the server gets the envelope unopened");
		const broken = await seen({ path: "/seen", body: "{", headers: { "Content-Type": "application/cloudevents+json" } });
		assert.equal(Buffer.from(broken.body, "base64").toString(), "{", "the server gets an invalid envelope unchanged");
	});

	test("a server gets bodies byte for byte: none, empty, small, large, with and without a length", async () => {
		assert.equal((await seen({ path: "/seen", method: "POST" })).body, "");
		assert.deepEqual(valuesOf(await seen({ path: "/seen", body: "" }), "content-length"), ["0"]);
		for (const length of [1, 100, 16 * 1024, 16 * 1024 + 1, 3 * MB]) {
			const body = randomBytes(length);
			for (const headers of [{ "Content-Length": String(length) }, { "Transfer-Encoding": "chunked" }]) {
				const { text, body: echoed } = await loader.ask({ path: "/echo", body, headers });
				assert.ok(echoed.equals(body), `${length} bytes, ${JSON.stringify(headers)}: ${text.slice(0, 100)}`);
			}
		}
	});

	test("a server gets an upload while it arrives, and can answer meanwhile", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.write("POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
		await tap.until(/first true/);
		tap.write("5\r\nworld\r\n0\r\n\r\n");
		await tap.until(/last/);
	});

	test("a body over REQ_MB_LIMIT is refused with 413, with and without a declared length", async () => {
		const agent = new http.Agent({ keepAlive: true });
		const declared = await loader.ask({ path: "/digest", body: Buffer.alloc(41 * MB), agent });
		assert.equal(declared.status, 413);
		const chunked = await loader.ask({ path: "/digest", body: Buffer.alloc(41 * MB), headers: { "Transfer-Encoding": "chunked" }, agent });
		assert.equal(chunked.status, 413);
		agent.destroy();
		assert.equal((await loader.ask("/x")).text, "hello /x");
		await loader.figuresWhen("nothing in flight", ({ inFlight }) => inFlight === 0);
	});

	test("large uploads to a server are not buffered in the loader", async () => {
		const before = await residentBytes(loader.child.pid as number);
		const body = randomBytes(38 * MB);
		const answers = await Promise.all([1, 2, 3, 4].map(() => loader.ask({ path: "/digest", body })));
		for (const { text } of answers) assert.equal(text, digest(body));
		const grown = (await residentBytes(loader.child.pid as number)) - before;
		assert.ok(grown < 100 * MB, `the loader grew by ${Math.round(grown / MB)} MB for 152 MB`);
	});

	test("a server may answer before it has read the body, and the caller's connection serves the next call", async () => {
		const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
		const early = await loader.ask({ path: "/early", body: randomBytes(2 * MB), agent });
		assert.deepEqual([early.status, early.text], [403, "no"]);
		assert.equal((await loader.ask({ path: "/next", agent })).text, "hello /next");
		agent.destroy();
	});

	test("the answer has the server's status, headers and trailers, and each Set-Cookie separately", async (t) => {
		for (const status of [200, 201, 302, 404, 418, 500, 503]) {
			const got = await loader.ask(`/cookies?status=${status}`);
			assert.deepEqual([got.status, got.headers["set-cookie"], got.text], [status, ["a=1; Path=/", "b=2"], "cookies"]);
			assert.equal(got.headers["access-control-allow-origin"], "*");
		}
		const tap = await WireTap.open(loader.port, t);
		tap.write("GET /trailers HTTP/1.1\r\nHost: x\r\n\r\n");
		assert.match(await tap.until(/0\r\n[^]*\r\n\r\n$/), /with [^]*trailers\r\n0\r\nX-Sum: 42\r\n\r\n$/i);
	});

	const reported = (code: string, words: string, status = 500) =>
		loader.ask(`/report?${new URLSearchParams({ code, words, status: String(status) })}`);

	test("Kubeless-Error reports a failed function: the message goes to the log, not to the caller", async () => {
		const before = (await loader.figures()).sum("function_failures_total");
		const threw = await reported("FUNCTION_THREW", JSON.stringify({ message: "secret words", stack: "at secret.place" }), 200);
		assert.deepEqual([threw.status, threw.text, threw.headers["kubeless-error"]], [500, "Internal Server Error", undefined]);
		const record = await loader.said(({ msg }) => msg === "secret words");
		assert.deepEqual([record.code, record["stack"], record.level], ["FUNCTION_THREW", "at secret.place", "error"]);
		assert.equal((await reported("RESULT_INVALID", "a plain text")).status, 500);
		assert.equal((await loader.said(({ msg }) => msg === "a plain text")).code, "RESULT_INVALID");
		assert.equal((await loader.figures()).sum("function_failures_total"), before + 2);
	});

	test("Kubeless-Error: BODY_MALFORMED is answered 400 and does not count as a call", async () => {
		const calls = (await loader.figures()).sum("function_calls_total");
		const { status, text } = await reported("BODY_MALFORMED", "no JSON");
		assert.equal(status, 400);
		assert.doesNotMatch(text, /no JSON/);
		assert.equal((await loader.figures()).sum("function_calls_total"), calls);
	});

	test("an answer with an unknown Kubeless-Error is forwarded unchanged", async () => {
		const { status, text, headers } = await reported("TEAPOT", "hello", 418);
		assert.deepEqual([status, text, headers["kubeless-error"]], [418, "hello", "TEAPOT"]);
	});

	test("a HEAD request is answered with the headers of a GET and no body", async () => {
		const got = await loader.ask({ path: "/cookies", method: "HEAD" });
		assert.deepEqual([got.status, got.text, got.headers["set-cookie"]], [200, "", ["a=1; Path=/", "b=2"]]);
	});

	test("a server's streamed answer reaches the caller piece by piece", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		const begun = performance.now();
		tap.write("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n");
		await tap.until(/one /);
		assert.doesNotMatch(tap.text, /three/);
		await tap.until(/three/);
		assert.ok(performance.now() - begun >= 190);
	});

	test("a slow caller slows the server down", async (t) => {
		const tap = await WireTap.open(loader.port, t);
		tap.socket.pause();
		tap.write(`GET /many?bytes=${200 * MB} HTTP/1.1\r\nHost: x\r\n\r\n`);
		await new Promise((resolve) => setTimeout(resolve, 800));
		const { seen: written } = JSON.parse((await loader.ask("/counts")).text);
		assert.ok(written > 0 && written < 30 * MB, `the server has written ${written} bytes`);
		const whole = await loader.ask(`/many?bytes=${20 * MB}`);
		assert.equal(whole.body.length, 20 * MB);
	});

	test("the loader's own endpoints and OPTIONS are not sent to the server", async () => {
		const { calls } = JSON.parse((await loader.ask("/counts")).text);
		assert.equal((await loader.ask("/healthz")).text, "OK");
		assert.equal((await loader.ask("/readyz")).text, "OK");
		assert.match((await loader.ask("/metrics")).text, /function_calls_total/);
		assert.equal((await loader.ask({ method: "OPTIONS", path: "/x" })).headers["access-control-allow-origin"], "*");
		assert.equal(JSON.parse((await loader.ask("/counts")).text).calls, calls + 1);
	});

	test("a server's output is in the log", async () => {
		await loader.ask("/print");
		await loader.said(({ stream, msg }) => stream === "stdout" && msg === "to stdout");
		await loader.said(({ stream, msg }) => stream === "stderr" && msg === "to stderr");
	});

	test("the metrics include a server's calls and memory", async () => {
		const figures = await loader.figures();
		assert.ok(figures.of('function_calls_total{method="GET"}') > 0);
		assert.ok(figures.of("function_workers_memory_bytes") > 10 * MB);
		assert.equal(figures.of("function_workers_ready"), 1);
	});

	test("20 calls over one keep-alive connection are answered by the server", async () => {
		const agent = new http.Agent({ keepAlive: true });
		for (let call = 0; call < 20; call++) assert.equal((await loader.ask({ path: "/x", agent })).status, 200);
		agent.destroy();
	});
});
