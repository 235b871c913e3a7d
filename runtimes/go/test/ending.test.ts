import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { go, handler, needsGo, start, warmCache } from "./worker.ts";

describe("Go: the end of a worker", needsGo, () => {
	before(warmCache);

	const listening = (then: string, signals: string): string =>
		go(
			`var _ = os.Exit\n\nfunc init() {\n\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, ${signals})\n\tgo func() {\n${then}\n}()\n}\n${handler('return "", nil')}`,
			"fmt",
			"os",
			"os/signal",
			"syscall",
			"time",
		);
	const closing = 'time.Sleep(200*time.Millisecond); fmt.Println("closed by", s)';

	test("a function that uses signal.Notify gets SIGTERM and the time to handle it", async (t) => {
		const worker = await start(t, { "f.go": listening(`s := <-c; ${closing}`, "syscall.SIGTERM") });
		await worker.ask();
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.stdout, "closed by terminated\n");
	});

	test("a function that waits for signals in a loop ends after it has handled SIGTERM", async (t) => {
		const worker = await start(t, { "f.go": listening(`for s := range c { ${closing} }`, "syscall.SIGTERM, syscall.SIGINT") });
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.stdout, "closed by terminated\n");
	});

	test("a function can end the worker itself after SIGTERM", async (t) => {
		const worker = await start(t, { "f.go": listening(`s := <-c; ${closing}; os.Exit(3)`, "syscall.SIGTERM") });
		assert.equal(await worker.stop(), 3);
	});

	test("a function that listens to another signal exits with code 0", async (t) => {
		const worker = await start(t, { "f.go": listening(`s := <-c; ${closing}`, "syscall.SIGINT") });
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.stdout, "");
	});
});
