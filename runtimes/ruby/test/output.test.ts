import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsRuby, startAny } from "./worker.ts";

describe("Ruby: output", needsRuby, () => {
	test("printed lines carry the id of their call", async (t) => {
		const worker = startAny(t);
		const code =
			"puts 'one', 2; print 'half'; $stdout << ' line'; p :x; pp({}); printf('%d', 3); putc 'x'; warn 'careful'; $stderr.puts; 'x'";
		const id = worker.begin({ body: code });
		await worker.answer(id);
		assert.equal(worker.printed("stdout", id), "one\n2\nhalf line:x\n{}\n3x\n");
		assert.equal(worker.printed("stderr", id), "careful\n\n");
		const order = worker.frames.filter(({ line }) => line.id === id).map(({ line }) => line.type);
		assert.equal(order.at(-1), "result");
	});

	test("threads, traps, at_exit and Logger can print", async (t) => {
		const worker = startAny(t, {}, "require 'logger'\nLOG = Logger.new($stdout)\nat_exit { puts 'the end' }\nputs 'the beginning'");
		await worker.ask({ body: "LOG.info('logged'); Thread.new { puts 'threaded' }.join; ''" });
		await worker.ask({ body: "trap('USR1') { puts 'trapped' }; Process.kill('USR1', $$); sleep 0.1; ''" });
		assert.equal(await worker.stop(), 0);
		const all =
			worker.frames
				.filter(({ line }) => line.type === "log")
				.map(({ body }) => body.toString())
				.join("") + worker.stdout;
		for (const words of ["the beginning", "logged", "threaded", "trapped", "the end"])
			assert.equal(all.split(words).length, 2, `${words} once in ${all}`);
	});

	test("printed text of any encoding becomes UTF-8", async (t) => {
		const worker = startAny(t, { LANG: "C", LC_ALL: "C" });
		const id = worker.begin({ body: "puts 'é', \"\\xff\", 'é'.b; 'x'" });
		await worker.answer(id);
		assert.equal(worker.printed("stdout", id), "é\n\ufffd\né\n");
	});

	test("a function that closes $stdout can still print", async (t) => {
		const worker = startAny(t);
		const id = worker.begin({ body: "$stdout.close; puts 'open'; $stdin.read.inspect" });
		assert.equal((await worker.answer(id)).text, '""');
		assert.equal(worker.printed("stdout", id), "open\n");
	});
});
