import assert from "node:assert/strict";
import test from "node:test";
import { fake, startFake } from "../support/fake.ts";
import { load, statuses } from "../support/load.ts";
import { Loader, startLoader } from "../support/loader.ts";
import { residentBytes } from "../support/processes.ts";
import { everyRuntime } from "../support/runtimes.ts";

everyRuntime("what a function prints", ({ serve }) => {
	test("a function's output is logged line by line with the name of its stream", async (t) => {
		const loader = await serve(t, "prints");
		assert.equal((await loader.ask({ body: "ciao" })).text, "printed");
		const out = await loader.said(({ msg, stream }) => msg === "ciao" && stream === "stdout");
		const err = await loader.said(({ msg, stream }) => msg === "ciao" && stream === "stderr");
		assert.deepEqual([out.level, err.level], ["info", "warn"]);
	});

	test("a function's output keeps its characters, and each line is one log record", async (t) => {
		const loader = await serve(t, "prints");
		await loader.ask({ body: 'one: čšž 日本 🎉\ntwo: "quoted" {}' });
		await loader.said(({ msg }) => msg === "one: čšž 日本 🎉");
		await loader.said(({ msg }) => msg === 'two: "quoted" {}');
	});

	test("a line of output has the call's trace if the worker names the call", async (t) => {
		const loader = await serve(t, "prints");
		const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
		await loader.ask({ body: "traced", headers: { traceparent } });
		const record = await loader.said(({ msg, stream }) => msg === "traced" && stream === "stdout");
		// PROTOCOL 7.1: naming the call is optional for a worker.
		assert.equal(record["traceparent"], record["call"] === undefined ? undefined : traceparent);
	});
});

test("the log record of a failed call has the call's trace", async (t) => {
	const loader = await startFake(t);
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	await loader.ask({ path: "/throw", headers: { traceparent } });
	assert.equal((await loader.said(({ code }) => code === "FUNCTION_THREW"))["traceparent"], traceparent);
});

/** Functions that print as fast as they can for one second, and answer other calls meanwhile. */
const FLOODS: Record<string, { file: string; source: string }> = {
	nodejs: {
		file: "f.js",
		source: `exports.h = async ({ data }) => {
	const until = Date.now() + 1000;
	while (data === "flood" && Date.now() < until) {
		for (let line = 0; line < 500; line++) console.log("x".repeat(200));
		await new Promise(setImmediate);
	}
	return "fine";
}`,
	},
	python: {
		file: "f.py",
		source: `import time

def h(event, context):
    until = time.time() + 1
    while event['data'] == b'flood' and time.time() < until:
        print('x' * 200)
    return 'fine'
`,
	},
};

for (const [id, { file, source }] of Object.entries(FLOODS)) {
	test(`${id}: a flood of output delays no other call, and the loader's memory stays below 400 MiB`, async (t) => {
		const loader = await startLoader(t, { files: { [file]: source }, env: { MOD_NAME: "f", FUNC_RUNTIME: id } });
		const flood = loader.ask({ body: "flood" });
		const outcomes = await load(loader, 40, 4, () => ({}));
		assert.deepEqual(statuses(outcomes), { 200: 40 });
		assert.equal((await loader.ask("/healthz")).status, 200);
		assert.ok(residentBytes(loader.child.pid as number) < 400 * 1024 * 1024);
		assert.equal((await flood).text, "fine");
	});
}

test("a line of JSON keeps its fields and its level, in the names and numbers of other libraries, and every digit", async (t) => {
	const loader = await startFake(t);
	const print = (line: string) => loader.ask(`/print?${encodeURIComponent(line)}`);
	for (const [printed, level] of [
		['{"level":"error","msg":"a","n":12345678901234567890}', "error"],
		['{"level":50,"msg":"b","time":1700000000000}', "error"],
		['{"severity":"WARNING","message":"c"}', "warn"],
		['{"levelname":"CRITICAL","message":"d"}', "fatal"],
		['{"level":"audit","msg":"e"}', "audit"],
		['{"msg":"f","stream":"orders"}', "info"],
	] as const) {
		await print(printed);
		const fields = JSON.parse(printed);
		const record = await loader.said((one) => (one.msg ?? one["message"]) === (fields.msg ?? fields.message));
		assert.equal(record.level, level, printed);
		for (const [name, value] of Object.entries(fields)) if (name !== "level") assert.deepEqual(record[name], value, printed);
		assert.ok(record["time"] !== undefined && record.stream !== undefined);
	}
	for (const line of ["{not json}", "[1]", "{"]) {
		await print(line);
		await loader.said(({ msg }) => msg === line);
	}
});

test("FUNC_LOG_LEVEL does not silence the function", async (t) => {
	const server = new Loader(t, fake(t, { FUNC_LOG_LEVEL: "fatal", FUNC_PORT: "0", FAKE_PRINT_AT_START: "printed at the start" }));
	const record = await server.said(({ msg }) => msg === "printed at the start");
	assert.equal(record.level, "info");
});

test("a line over 16,384 characters is several records, and each but the last one is marked as cut", async (t) => {
	const loader = await startFake(t);
	await loader.ask({ path: "/print-long" });
	const pieces = await loader.until("the pieces", () => {
		const found = loader.records.filter(({ msg }) => /^z+$/.test(msg ?? ""));
		return found.length === 3 ? found : undefined;
	});
	assert.deepEqual(
		pieces.map(({ msg, cut }) => [msg?.length, cut]),
		[
			[16_384, true],
			[16_384, true],
			[1, undefined],
		],
	);
});

test("log lines are dropped and counted if standard output is not read, and calls are still answered", async (t) => {
	const loader = await startFake(t);
	loader.child.stdout?.pause();
	const long = "y".repeat(7000);
	const outcomes = await load(loader, 1200, 20, () => ({ path: `/print?${long}` }));
	assert.deepEqual(statuses(outcomes), { 200: 1200 });
	const figures = await loader.figures();
	assert.ok(figures.of("function_log_lines_dropped_total") > 0);
	loader.child.stdout?.resume();
	assert.equal((await loader.stop()).code, 0);
});
