import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { baseEnv } from "../../../test/conformance/runtimes.ts";
import { folderFor } from "../../../test/installers/pod.ts";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import { run } from "../../../test/support/local-command.ts";
import { home, source, suite } from "./suite.ts";

suite("Ballerina around a stand-in for its compiler: functions", (tools) => {
	const { only } = tools;
	describe("a function", () => {
		test("a function gets the event and the context, and its result is the answer", async (t) => {
			const types = await only(t, "types");
			const headers = { "Event-Id": "7", "ce-specversion": "1.0", "ce-type": "ordered" };
			assert.equal((await types.ask({ body: "čšž", headers })).text, "7 ordered čšž");
			const context = await only(t, "context", { FUNC_TIMEOUT: "7" });
			assert.equal((await context.ask()).text, "context 7 ballerina2201.13");
		});

		test("a function that returns an error is answered 500 and counted, and its message is in the log only", async (t) => {
			const loader = await only(t, "raises");
			const { status, text } = await loader.ask({ body: "a secret" });
			assert.deepEqual([status, text], [500, "Internal Server Error"]);
			const record = await loader.said(({ code }) => code === "FUNCTION_THREW");
			assert.equal(record.msg, "a secret");
			assert.match(String(record["stack"]), /error\(a secret\)\n {4}at function\.bal/);
			assert.equal((await loader.figures()).of('function_failures_total{method="POST"}'), 1);
		});

		test("a function is not called with a malformed JSON body", async (t) => {
			const loader = await only(t, "echoes");
			assert.equal((await loader.ask({ body: '{"a":', headers: JSON_TYPE })).status, 400);
			assert.equal((await loader.figures()).sum("function_calls_total"), 0);
			assert.equal((await loader.ask({ body: '{"a":1}', headers: JSON_TYPE })).text, '{"a":1}');
		});

		test("a function runs many calls at once", async (t) => {
			const loader = await only(t, "sleeps");
			const measure = async (run: () => Promise<unknown>): Promise<number> => {
				const start = performance.now();
				await run();
				return performance.now() - start;
			};
			const inTurn = await measure(async () => {
				for (let i = 0; i < 5; i++) assert.equal((await loader.ask({ body: "400" })).text, "slept");
			});
			const start = performance.now();
			const answers = await Promise.all(Array.from({ length: 20 }, () => loader.ask({ body: "400" })));
			assert.deepEqual([...new Set(answers.map(({ text }) => text))], ["slept"]);
			const atOnce = performance.now() - start;
			assert.ok(atOnce < 2 * inTurn, `20 calls at once took ${atOnce} ms, 5 calls one after the other ${inTurn} ms`);
		});

		test("a call past FUNC_TIMEOUT is answered 408, and the next call is served", async (t) => {
			const loader = await only(t, "sleeps", { FUNC_TIMEOUT: "4" });
			assert.equal((await loader.ask({ body: "600000" })).status, 408);
			assert.equal((await loader.ask({ body: "1" })).text, "slept");
		});

		test("a function that ends its process is answered 502, and another process takes over", async (t) => {
			const loader = await only(t, "dies");
			assert.equal((await loader.ask()).status, 502);
			assert.equal((await loader.ask()).status, 502);
			assert.equal((await loader.figures()).sum("function_calls_total"), 2);
		});

		test("what a function prints is in the log", async (t) => {
			const loader = await only(t, "prints");
			assert.equal((await loader.ask({ body: "two words" })).text, "printed");
			for (const stream of ["stdout", "stderr"]) await loader.said((record) => record.stream === stream && record.msg === "two words");
			assert.deepEqual(await loader.stop(), { code: 0, signal: null });
		});
	});

	test("a saved function is built and served again, and the previous version stays if the build fails", async (t) => {
		const place = folderFor(t, { "f.bal": source("echoes") });
		const local = await run(t, [join(place, "f.bal")], { env: tools.standIn.env });
		assert.equal(await local.answer("x"), "x");
		writeFileSync(join(place, "f.bal"), source("raises"));
		await local.servedAnew();
		const { status, text } = await local.ask("a mistake");
		assert.equal(status, 500);
		assert.match(text, /^error\(a mistake\)\n {4}at function\.bal/);
		writeFileSync(join(place, "f.bal"), `${source("hello")}this is none\n`);
		await local.wrote(/f\.bal changed, but the reload failed/);
		await local.wrote(/^f\.bal:6:1: ERROR: invalid token 'this'$/);
		assert.equal((await local.ask("another")).status, 500);
	});

	// The stand-in computes no results, so test suites about results are left out.
	for (const suite of ["answers", "concurrency", "drain", "output", "time-limit", "worker-ends", "callers"]) {
		test(`test/faults/${suite}.test.ts: passes for Ballerina`, async () => {
			const words = ["--test", "--test-reporter=tap", "--test-name-pattern=^ballerina: ", `test/faults/${suite}.test.ts`];
			const child = spawn(process.execPath, words, {
				cwd: join(home, "../.."),
				env: { ...baseEnv(), ...tools.standIn.env, HOME: tools.standIn.cache },
			});
			let output = "";
			for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
			const [code] = await once(child, "close");
			assert.equal(code, 0, output);
			assert.ok(Number(/^# pass (\d+)$/m.exec(output)?.[1]) > 0 && !output.includes("Ballerina is missing"), output);
		});
	}
});
