import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsPython, start, startAny } from "./worker.ts";

describe("Python: a handler", needsPython, () => {
	test("a handler that writes to descriptor 3 and closes it does not harm the wire", async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "os.write(3, b'garbage'); os.close(3)" });
		assert.equal((await worker.ask({ body: "answer = 'here'" })).text, "here");
	});

	test("the traceback of an error begins in the function's file", async (t) => {
		const worker = startAny(t);
		for (const [code, message] of [
			["raise ValueError('boom')", "ValueError: boom"],
			["sys.exit(3)", "SystemExit: 3"],
			["raise KeyboardInterrupt", "KeyboardInterrupt"],
			["raise GeneratorExit", "GeneratorExit"],
		] as const) {
			const { error } = await worker.ask({ body: code });
			assert.equal(error?.message, message);
			assert.match(error?.stack ?? "", /^Traceback .*\n {2}File ".*any.py", line \d+, in handler\n/);
		}
		const odd = await worker.ask({ body: "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd()" });
		assert.match(odd.error?.message ?? "", /^Odd: .*__str__ raised ValueError/);
		const deep = await worker.ask({ body: "def deep(n):\n    return [deep(n + 1)]\nglobals()['deep'] = deep\ndeep(0)" });
		assert.match(deep.error?.message ?? "", /^RecursionError/);
		const long = (await worker.ask({ body: "raise ValueError('x' * 10**6)" })).error?.stack?.length ?? 0;
		assert.ok(long > 0 && long < 20_000, String(long));
	});

	test("a handler that clears its event and context does not change those of the next call", async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "event.clear(); context.clear()" });
		const { text } = await worker.ask({ body: "answer = dict(context, keys=sorted(event))" });
		assert.deepEqual(JSON.parse(text), {
			"function-name": "handler",
			timeout: 30,
			runtime: "python3",
			"memory-limit": "128Mi",
			keys: ["data", "event-id", "event-namespace", "event-time", "event-type", "extensions"],
		});
	});
});

describe("Python: a forked child", needsPython, () => {
	test("a forked child that returns from the handler ends and does not answer the call", async (t) => {
		const worker = startAny(t);
		const wait = "answer = str(os.waitpid(pid, 0)[1] >> 8)";
		assert.equal((await worker.ask({ body: `pid = os.fork()\nif pid:\n    ${wait}` })).text, "0");
		assert.equal((await worker.ask({ body: `pid = os.fork()\nif not pid:\n    print('child')\n    sys.exit(7)\n${wait}` })).text, "7");
		assert.equal((await worker.ask({ body: `pid = os.fork()\nif not pid:\n    raise ValueError('boom')\n${wait}` })).text, "1");
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.stdout, "child\n");
		assert.match(worker.stderr, /ValueError: boom/);
		assert.equal(worker.frames.filter(({ line }) => line.type !== "ready").length, 3);
	});

	test("a forked child does not hold the wire", async (t) => {
		const worker = startAny(t);
		const { text } = await worker.ask({ body: "pid = os.fork()\nif pid:\n    answer = str(pid)\nelse:\n    time.sleep(60)" });
		t.after(() => process.kill(Number(text), "SIGKILL"));
		// 0, 1 and 2 are what the child was given as such, and may be sockets.
		const sockets = `[f.name for f in os.scandir('/proc/${text}/fd') if f.name not in '012' and 'socket' in os.readlink(f.path)]`;
		// The child closes it when it gets to run, which may be after this call.
		const body = `until = time.monotonic() + 5\nwhile ${sockets} and time.monotonic() < until:\n    time.sleep(0.01)\nanswer = str(${sockets})`;
		assert.equal((await worker.ask({ body })).text, "[]");
	});

	for (const method of ["fork", "spawn", "forkserver"]) {
		test(`a child of multiprocessing's ${method} runs the function's own functions`, async (t) => {
			const source = `
import multiprocessing
def square(n):
    return n * n
def handler(event, context):
    with multiprocessing.get_context('${method}').Pool(2) as pool:
        return {'squares': pool.map(square, [1, 2, 3])}
`;
			const worker = start(t, { "squares.py": source });
			assert.equal((await worker.ask()).text, '{"squares": [1, 4, 9]}');
		});
	}
});
