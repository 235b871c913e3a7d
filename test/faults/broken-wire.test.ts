import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { fake, startFake } from "../support/fake.ts";
import { runLoader } from "../support/loader.ts";
import { untilGone } from "../support/processes.ts";

const BREAKS: Record<string, string> = {
	"/garbage": "a line that is not JSON",
	"/binary": "a line that is not UTF-8",
	"/array": "a line that is not an object",
	"/untyped": "a line without a type",
	"/odd-type": "a type that workers do not send",
	"/unknown-id": "an answer to a call that was never sent",
	"/no-id": "an answer without an id",
	"/ready-again": "a second ready after calls",
	"/negative-length": "a negative length",
	"/huge-length": "a length over the wire's limit",
	"/short": "more bytes than the declared length",
	"/long-line": "a line over 1 MiB",
	"/odd-status": "an invalid status",
	"/interim": "an interim status in an answer",
	"/end-first": "an end without a head",
	"/chunk-first": "a chunk without a head",
	"/close": "a closed wire while its process continues",
};

// Each test has its own loader: consecutive worker exits delay the next start (back-off).
describe("a worker that breaks the wire", { concurrency: 2 }, () => {
	for (const [path, what] of Object.entries(BREAKS)) {
		test(`a worker that breaks the wire with ${what} is ended: its calls are answered 502, and the next call is served`, async (t) => {
			const loader = await startFake(t, { FUNC_TIMEOUT: "10" });
			const held = loader.ask("/hang");
			await loader.figuresWhen("the held call", ({ inFlight }) => inFlight === 1);
			const { status, text } = await loader.ask({ path, body: "x" });
			// An answer that was complete before the rule was broken is kept.
			if (path === "/short") assert.equal(text, "abc");
			else assert.equal(status, 502);
			assert.equal((await held).status, 502, "the other call of this worker");
			assert.equal((await loader.ask({ body: "served on" })).text, "served on");
			const figures = await loader.figuresWhen("the worker's end", (one) => one.exits("protocol") > 0);
			assert.equal(figures.exits("protocol"), 1);
			assert.equal(figures.inFlight, 0);
			assert.equal(figures.sum("function_failures_total"), path === "/short" ? 1 : 2);
		});
	}

	for (const path of ["/long-head", "/long-head?stream"]) {
		test(`an answer with over 1 MiB of headers (${path}) fails its own call alone, with a message that has both sizes`, async (t) => {
			const loader = await startFake(t, { FUNC_TIMEOUT: "10" });
			const { text: pid } = await loader.ask("/pid");
			const slow = loader.ask("/slow?500");
			assert.equal((await loader.ask({ path, body: "x" })).status, 500);
			const { msg } = await loader.said(({ code }) => code === "RESULT_INVALID");
			assert.equal(msg, "the answer has 1048586 bytes of headers, and the limit is 1048576: send the data in the body");
			assert.equal((await slow).text, "slow");
			assert.equal((await loader.ask("/pid")).text, pid);
			await loader.figuresWhen("no call in flight", ({ inFlight }) => inFlight === 0);
		});
	}

	test("a worker that answers a call twice is ended, and the caller gets the first answer", async (t) => {
		const loader = await startFake(t);
		assert.equal((await loader.ask("/twice")).text, "one");
		await loader.figuresWhen("the worker's end", (one) => one.exits("protocol") === 1);
		assert.equal((await loader.ask({ body: "served on" })).text, "served on");
	});

	test("a worker that exits within a frame causes a 502, not a partial answer", async (t) => {
		const loader = await startFake(t);
		assert.equal((await loader.ask("/half-frame")).status, 502);
	});

	test("a worker that sends two heads for one call causes only one status", async (t) => {
		const loader = await startFake(t);
		const got = await loader.ask("/head-twice").catch(() => undefined);
		if (got) assert.equal(got.status, 200);
		assert.equal((await loader.ask({ body: "served on" })).text, "served on");
	});
});

describe("a worker that fails to start", () => {
	const STARTS: [string, RegExp][] = [
		["never", /FUNC_LOAD_TIMEOUT/],
		["version2", /version 2.*1/],
		["dies", /exit code 3/],
		["garbage", /not JSON/],
		["result", /not open|answers call/],
		["failed", /there is no handler called x[^]*a, b/],
	];
	for (const [start, message] of STARTS) {
		test(`a worker that fails to start (${start}) ends the loader with exit code 1 and one message, and no process is left`, async (t) => {
			const options = fake(t, { FAKE_START: start, FUNC_LOAD_TIMEOUT: start === "never" ? "0.6" : "60" });
			const { code, stderr, marker } = await runLoader(t, options);
			assert.equal(code, 1, stderr);
			assert.match(stderr, message);
			assert.equal(stderr.match(/kubeless-loader:/g)?.length, 1, stderr);
			await untilGone(marker);
		});
	}

	test("a worker that sends ready twice is ended and replaced", async (t) => {
		const loader = await startFake(t, { FAKE_START: "twice" });
		await loader.figuresWhen("the worker's end", (figures) => figures.exits("protocol") > 1);
		await loader.said(({ msg }) => /ready.*twice/.test(msg ?? ""));
		assert.equal((await loader.ask("/healthz")).status, 200);
	});

	test("a worker may log before it is ready", async (t) => {
		const loader = await startFake(t, { FAKE_START: "log" });
		const { stream } = await loader.said(({ msg }) => msg === "before ready");
		assert.equal(stream, "stdout");
	});

	test("the message for a worker command that is not installed names the command", async (t) => {
		const { code, stderr } = await runLoader(t, fake(t, {}, { worker: ["no-such-command-anywhere", "x"] }));
		assert.equal(code, 1);
		assert.match(stderr, /no-such-command-anywhere.*not installed/);
	});
});

describe("a worker that exits in every call", () => {
	test("a worker that exits in every call is restarted with increasing back-off, and every call is answered once", async (t) => {
		const loader = await startFake(t);
		const begun = performance.now();
		const seen: number[] = [];
		// Back-off before the fifth call: at least 0 + 100 + 200 + 400 ms.
		for (let call = 0; call < 5; call++) seen.push((await loader.ask("/exit7")).status);
		assert.deepEqual(seen, [502, 502, 502, 502, 502]);
		assert.ok(performance.now() - begun > 600, "the replacements were started without back-off");
		const figures = await loader.figures();
		assert.equal(figures.exits("exit"), 5);
		assert.equal(figures.of('function_failures_total{method="GET"}'), 5);
		assert.equal((await loader.ask("/healthz")).status, 200);
		assert.equal((await loader.ask({ body: "served on" })).text, "served on");
	});
});
