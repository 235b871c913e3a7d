import assert from "node:assert/strict";
import test from "node:test";
import { fake } from "../support/fake.ts";
import { startLoader } from "../support/loader.ts";

/** A preloaded module: on the signal, only the loader's process throws, outside of any call. */
const THROWS = `data:text/javascript,${encodeURIComponent(
	'if (process.argv[1]?.endsWith("bin.mjs")) process.on("SIGUSR2", () => { throw new Error("thrown by the test"); });',
)}`;

test("an uncaught exception in the loader is logged and counted, /healthz fails, and calls are still answered", async (t) => {
	const options = fake(t);
	const loader = await startLoader(t, { ...options, execArgv: [`--import=${THROWS}`] });
	assert.equal((await loader.ask("/healthz")).status, 200);
	assert.equal((await loader.figures()).of("function_loader_exceptions_total"), 0);
	loader.signal("SIGUSR2");
	const record = await loader.said(({ msg }) => msg === "uncaught exception in the loader");
	assert.match(JSON.stringify(record), /thrown by the test/);
	assert.equal((await loader.ask("/healthz")).status, 503);
	assert.equal((await loader.figures()).of("function_loader_exceptions_total"), 1);
	assert.equal((await loader.ask({ body: "still answered" })).text, "still answered");
	assert.deepEqual(await loader.stop(), { code: 0, signal: null });
});
