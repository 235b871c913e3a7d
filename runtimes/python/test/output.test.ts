import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsPython, startAny } from "./worker.ts";

describe("Python: the text that a function prints", needsPython, () => {
	test("printed text carries the id of its call", async (t) => {
		const worker = startAny(t, {}, "print('at load')");
		const code = (word: string) => `print('${word}', end=''); time.sleep(0.02); print(' end'); print('${word} err', file=sys.stderr)`;
		const ids = ["a", "b", "c"].map((word) => worker.begin({ body: code(word) }));
		for (const id of ids) await worker.answer(id);
		assert.deepEqual(
			ids.map((id) => worker.printed("stdout", id)),
			["a end\n", "b end\n", "c end\n"],
		);
		assert.deepEqual(
			ids.map((id) => worker.printed("stderr", id)),
			["a err\n", "b err\n", "c err\n"],
		);
		assert.equal(worker.printed("stdout", null), "at load\n");
	});

	test("printed text is sent before the call ends, also a last line without a line break", async (t) => {
		const worker = startAny(t);
		const id = worker.begin({ body: "sys.stdout.write('half'); sys.stdout.flush()" });
		await worker.answer(id);
		const mine = worker.frames.filter(({ line }) => line.id === id).map(({ line, body }) => [line.type, body.toString()]);
		assert.deepEqual(mine, [
			["log", "half\n"],
			["result", ""],
		]);
	});

	test("text from logging, warnings and after sys.stdout.close() is sent with the id of its call", async (t) => {
		const worker = startAny(t, {}, "import logging, warnings\nlogging.basicConfig()");
		const id = worker.begin({
			body: "logging.error('logged'); warnings.warn('warned'); sys.stdout.close(); print('\\ud800 still open')",
		});
		await worker.answer(id);
		assert.match(worker.printed("stderr", id), /ERROR:root:logged\n[^]*UserWarning: warned/);
		assert.equal(worker.printed("stdout", id), "\\ud800 still open\n");
		const { text } = await worker.ask({
			body: "out = sys.stdout; answer = [str([out.fileno(), sys.stderr.fileno(), out.encoding, out.isatty(), out.writable()])]",
		});
		assert.equal(text, "[1, 2, 'utf-8', False, True]");
	});

	test("text that is written to descriptors 1 and 2 stays there", async (t) => {
		const worker = startAny(t);
		await worker.ask({
			body: "import subprocess; subprocess.call(['echo', 'child']); os.write(2, b'raw\\n'); sys.stdout.buffer.write(b'buffer\\n')",
		});
		assert.equal(await worker.stop(), 0);
		assert.deepEqual({ stdout: worker.stdout, stderr: worker.stderr }, { stdout: "child\nbuffer\n", stderr: "raw\n" });
	});
});
