import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsPython, start, startAny } from "./worker.ts";

describe("Python: after stop", needsPython, () => {
	test("exit functions run and can still print", async (t) => {
		const worker = startAny(t, {}, "import atexit\natexit.register(lambda: (time.sleep(1.2), print('exits')))");
		await worker.started();
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.printed("stdout", null), "exits\n");
	});

	test("the worker ends although a thread of the function still runs", async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "threading.Thread(target=time.sleep, args=(60,)).start()" });
		assert.equal(await worker.stop(), 0);
	});

	test("the worker ends when the wire is closed, also during a call", async (t) => {
		const worker = startAny(t);
		worker.begin({ body: "print('begun'); time.sleep(60)" });
		await worker.until(({ line }) => line.type === "log");
		worker.wire.destroy();
		assert.equal(await worker.exited, 0);
	});

	test("the worker ends if its reader fails and its stack cannot be printed", async (t) => {
		for (const concurrency of ["1", "40"]) {
			const worker = startAny(t, { FUNC_CONCURRENCY: concurrency });
			const fails = "os.close(2)\ndef fail(*args): raise MemoryError()\nsys.modules['_kubeless.wire'].Wire.read = fail";
			assert.equal((await worker.ask({ body: `${fails}\nanswer = 'broken'` })).text, "broken");
			worker.begin();
			assert.equal(await worker.exited, 70);
		}
	});

	test("the worker ends if there is no memory for a further thread of its own", async (t) => {
		const worker = startAny(t);
		const fails = "def fail(*args): raise MemoryError()\nthreading.Thread._bootstrap_inner = fail";
		await worker.ask({ body: fails });
		worker.begin({ body: "time.sleep(60)" });
		assert.equal(await worker.exited, 70);
	});

	test("the function's SIGTERM handler runs before its exit functions, and the exit code stays 0", async (t) => {
		const source = `
import atexit, signal, sys, time
def end(number, frame):
    print('handler', number)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
atexit.register(print, 'exits')
def handler(event, context):
    time.sleep(0.2)
    print('answered')
`;
		for (const concurrency of ["1", "40"]) {
			const worker = await start(t, { "f.py": source }, "handler", { FUNC_CONCURRENCY: concurrency }).ready();
			worker.begin();
			assert.equal(await worker.stop(), 0);
			assert.equal(worker.printed(), "answered\nhandler 15\nexits\n");
		}
	});

	test("a SIGTERM handler of the event loop runs, and the task that it starts ends", async (t) => {
		const source = `
import asyncio, signal
async def close():
    await asyncio.sleep(0.1)
    print('closed')
async def handler(event, context):
    loop = asyncio.get_event_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(close()))
`;
		const worker = start(t, { "f.py": source });
		await worker.ask();
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.printed(), "closed\n");
	});
});
