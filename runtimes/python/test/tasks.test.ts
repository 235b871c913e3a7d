import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { minor, needsPython, start } from "./worker.ts";

describe("Python: async functions", needsPython, () => {
	test("a hundred async calls run at once on one thread and can be cancelled", async (t) => {
		const source = `
import asyncio, threading
ids = []
async def handler(event, context):
    if event['data'] == b'all':
        ids.append(1)
        while len(ids) < 99:
            await asyncio.sleep(0.001)
        return str(threading.active_count())
    print('begun')
    try:
        await asyncio.sleep(60)
    finally:
        print('over')
`;
		const worker = start(t, { "aio.py": source });
		assert.equal((await worker.started()).concurrency, 100);
		const all = await Promise.all(Array.from({ length: 99 }, () => worker.ask({ body: "all" })));
		assert.deepEqual(new Set(all.map((frame) => frame.text)), new Set(["1"]));
		const id = worker.begin();
		worker.send({ type: "cancel", id }); // before the handler has begun
		assert.equal((await worker.answer(id)).error?.code, "CANCELLED");
		const running = worker.begin();
		await worker.until(({ line, body }) => line.type === "log" && body.toString() === "begun\n");
		worker.send({ type: "cancel", id: running });
		assert.equal((await worker.answer(running)).error?.code, "CANCELLED");
		if (minor > 6) assert.equal(worker.printed("stdout", running), "begun\nover\n");
		assert.equal(await worker.stop(), 0);
	});

	test("async generators are streamed, and plain ones do not block the event loop", async (t) => {
		const source = `
import time
async def items():
    for item in 'abc':
        yield item
def slow():
    for item in 'abc':
        time.sleep(0.2)
        yield item
async def handler(event, context):
    return {'items': items, 'slow': slow, 'quick': lambda: 'quick'}[event['data'].decode()]()
`;
		const worker = start(t, { "aio.py": source });
		assert.equal((await worker.ask({ body: "items" })).text, "abc");
		const slow = worker.begin({ body: "slow" });
		await worker.ask({ body: "quick" });
		assert.ok(!worker.frames.some(({ line }) => line.id === slow));
		assert.equal((await worker.answer(slow)).text, "abc");
	});

	test("a task that outlives its call can end neither the event loop nor the worker", async (t) => {
		const source = `
import asyncio, sys
async def exits():
    sys.exit(3)
async def stays():
    await asyncio.sleep(60)
async def handler(event, context):
    asyncio.ensure_future(exits())
    asyncio.ensure_future(stays())
    asyncio.get_event_loop().stop()
    return 'answered'
`;
		const worker = start(t, { "aio.py": source });
		assert.equal((await worker.ask()).text, "answered");
		assert.equal((await worker.ask()).text, "answered");
		assert.equal(await worker.stop(), 0);
	});
});
