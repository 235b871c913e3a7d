import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { minor, needsPython, start } from "./worker.ts";

/** Every test runs with a plain and with an async handler. */
const DEFS = ["def", "async def"];

describe("Python: the execution context of a call", needsPython, () => {
	for (const def of DEFS) {
		const noContexts = { skip: minor < 7 && def === "async def" && "Python 3.6 has no contexts" };

		test(`decimal settings made at load hold in every call, those of a call end with it (${def})`, noContexts, async (t) => {
			const source = `
import decimal
decimal.getcontext().prec = 6
${def} handler(event, context):
    if event['data']:
        decimal.getcontext().prec = int(event['data'])
    return str(decimal.Decimal(1) / 7)
`;
			const worker = start(t, { "f.py": source });
			assert.equal((await worker.ask()).text, "0.142857");
			assert.equal((await worker.ask({ body: "3" })).text, "0.143");
			for (let count = 0; count < 5; count++) assert.equal((await worker.ask()).text, "0.142857");
		});

		test(`decimal settings of a call end with it if the file imports decimal late (${def})`, { skip: minor < 7 }, async (t) => {
			const source = `
${def} handler(event, context):
    import decimal
    before = decimal.getcontext().prec
    decimal.getcontext().prec = 3
    return str(before)
`;
			const worker = start(t, { "f.py": source });
			for (let count = 0; count < 3; count++) assert.equal((await worker.ask()).text, "28");
		});

		test(`a ContextVar has in every call the value of the loaded file (${def})`, { skip: minor < 7 }, async (t) => {
			const source = `
import contextvars
user = contextvars.ContextVar('user', default='default')
user.set('loaded')
${def} handler(event, context):
    before = user.get()
    user.set('of a call')
    return before
`;
			const worker = start(t, { "f.py": source });
			for (let count = 0; count < 3; count++) assert.equal((await worker.ask()).text, "loaded");
		});
	}

	test("a generator and a coroutine of a plain function run in the context of their call", { skip: minor < 7 }, async (t) => {
		const source = `
import contextvars
user = contextvars.ContextVar('user', default='default')
def items():
    for _ in range(2):
        yield user.get()
async def co():
    return user.get()
def handler(event, context):
    user.set('mine')
    return items() if event['data'] == b'items' else co()
`;
		const worker = start(t, { "f.py": source });
		assert.equal((await worker.ask({ body: "items" })).text, "minemine");
		assert.equal((await worker.ask({ body: "co" })).text, "mine");
	});

	test("with FUNC_CONCURRENCY=1 calls run on the thread that loaded the file, and control frames are read meanwhile", async (t) => {
		const source = `
import sqlite3, threading, time
db = sqlite3.connect(':memory:')
loaded_on = threading.get_ident()
def handler(event, context):
    time.sleep(float(event['data'] or 0))
    return str(db.execute('select 40 + 2').fetchone()[0]) + str(threading.get_ident() == loaded_on)
`;
		const worker = start(t, { "f.py": source }, "handler", { FUNC_CONCURRENCY: "1" });
		for (let count = 0; count < 20; count++) assert.equal((await worker.ask()).text, "42True");
		const slow = [worker.begin({ body: "0.3" }), worker.begin({ body: "0.01" })];
		const waits = worker.begin();
		worker.send({ type: "cancel", id: waits });
		assert.equal((await worker.answer(waits)).error?.code, "CANCELLED");
		for (const id of slow) assert.equal((await worker.answer(id)).text, "42True");
		assert.equal((await worker.ask()).text, "42True");
		assert.equal(await worker.stop(), 0);
	});

	test("asyncio.get_event_loop() works where the handler imports asyncio, and after a call that closed its loop", async (t) => {
		const source = `
def handler(event, context):
    import asyncio
    async def co():
        return 'awaited'
    loop = asyncio.get_event_loop()
    try:
        return loop.run_until_complete(co())
    finally:
        loop.close()
`;
		for (const concurrency of ["1", "40"]) {
			const worker = start(t, { "f.py": source }, "handler", { FUNC_CONCURRENCY: concurrency });
			for (let count = 0; count < 3; count++) assert.equal((await worker.ask()).text, "awaited");
		}
	});
});
