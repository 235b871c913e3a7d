import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { go, handler, needsGo, start, warmCache } from "./worker.ts";

describe("Go: errors", needsGo, () => {
	before(warmCache);

	test("a panic fails the call, with the file and the line", async (t) => {
		const body = `
	switch event.Data {
	case "nil": var p *functions.Event; return p.Data, nil
	case "index": return string(event.Data[len(event.Data)]), nil
	case "value": panic(fmt.Sprintf("value %d", 7))
	case "worse": panic(worse{})
	}
	return "fine", nil`;
		const source = `${go(handler(body), "fmt")}\ntype worse struct{}\nfunc (worse) Error() string { panic("again") }\n`;
		const worker = await start(t, { "f.go": source });
		const line = source.split("\n").findIndex((text) => text.includes('case "nil"')) + 1;
		const nil = (await worker.ask({ body: "nil" })).error;
		assert.match(nil?.message ?? "", /^panic: runtime error: invalid memory address/);
		assert.match(nil?.stack ?? "", new RegExp(`\\nkubeless\\.Handler\\n\\t${worker.folder}/f\\.go:${line}$`));
		assert.match((await worker.ask({ body: "index" })).error?.message ?? "", /index out of range \[5\] with length 5/);
		assert.equal((await worker.ask({ body: "value" })).error?.message, "panic: value 7");
		assert.match((await worker.ask({ body: "worse" })).error?.message ?? "", /worse, which panics/);
		assert.equal((await worker.ask()).text, "fine");
	});

	test("the stack of a returned error names the handler, or is the stack that the error prints", async (t) => {
		const body = `if event.Data == "own" { return "", own{} }; return "", fmt.Errorf("outer: %w", io.EOF)`;
		const kind = `type own struct{}\nfunc (own) Error() string { return "short" }\nfunc (own) Format(s fmt.State, verb rune) { fmt.Fprint(s, "short\\nlong") }\n`;
		const worker = await start(t, { "f.go": go(handler(body) + kind, "fmt", "io") });
		const { message, stack } = (await worker.ask()).error ?? {};
		assert.equal(message, "outer: EOF");
		assert.equal(stack, `outer: EOF\nreturned by kubeless.Handler\n\t${worker.folder}/f.go:9`);
		assert.equal((await worker.ask({ body: "own" })).error?.stack, "short\nlong");
	});

	test("runtime.Goexit fails its own call and no other", async (t) => {
		const worker = await start(t, { "f.go": go(handler(`if event.Data == "exit" { runtime.Goexit() }; return "on", nil`), "runtime") });
		const ids = Array.from({ length: 60 }, (_, i) => worker.begin(i % 3 === 0 ? { body: "exit" } : {}));
		for (const [i, id] of ids.entries()) {
			const { error, text } = await worker.answer(id);
			if (i % 3 === 0) assert.match(error?.message ?? "", /runtime\.Goexit/);
			else assert.equal(text, "on");
		}
		worker.send({ type: "stop" });
		assert.equal(await worker.exited, 0);
	});

	test("os.Exit, a panic in a goroutine and a full stack end the worker, with Go's message on stderr", async (t) => {
		const body = `
	switch event.Data {
	case "exit": os.Exit(7)
	case "goroutine": go func() { panic("in a goroutine") }(); time.Sleep(time.Second)
	case "stack": return Handler(event, context)
	}
	return "", nil`;
		const files = { "f.go": go(handler(body), "os", "time") };
		const exits = await start(t, files);
		exits.begin({ body: "exit" });
		assert.equal(await exits.exited, 7);
		const panics = await start(t, files);
		panics.begin({ body: "goroutine" });
		assert.equal(await panics.exited, 2);
		assert.match(panics.stderr, /panic: in a goroutine[^]*f\.go:/);
		const deep = await start(t, files);
		deep.begin({ body: "stack" });
		assert.equal(await deep.exited, 2);
		assert.match(deep.stderr, /stack exceeds/);
	});

	test("an endless loop in one call does not delay other calls", async (t) => {
		const worker = await start(t, { "f.go": go(handler(`for event.Data == "busy" {}; return "done", nil`)) });
		/** Returns the median time of a call in ms, of 50 calls. */
		const median = async (): Promise<number> => {
			const times: number[] = [];
			for (let i = 0; i < 50; i++) {
				const start = performance.now();
				assert.equal((await worker.ask()).text, "done");
				times.push(performance.now() - start);
			}
			return times.sort((a, b) => a - b)[25] as number;
		};
		const control = await median();
		worker.begin({ body: "busy" });
		const beside = await median();
		assert.ok(beside < 100 * control, `${beside} ms beside the loop, ${control} ms without it`);
	});
});
