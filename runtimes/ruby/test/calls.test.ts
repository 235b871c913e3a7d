import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { needsRuby, start, startAny } from "./worker.ts";

describe("Ruby: errors and children of a call", needsRuby, () => {
	test("exit, throw, deep recursion and Thread.exit end only their own call", async (t) => {
		const worker = startAny(t);
		for (const [code, words] of [
			["exit", /^SystemExit/],
			["exit(3)", /^SystemExit/],
			["abort('enough')", /^SystemExit: enough/],
			["throw :unknown", /^UncaughtThrowError/],
			["raise Exception, 'bare'", /^Exception: bare/],
			["raise NoMemoryError", /^NoMemoryError/],
			["raise Interrupt", /^Interrupt/],
			["raise SignalException, 'TERM'", /^SignalException: SIGTERM/],
			["def deep; deep + 1; end; deep", /^SystemStackError: stack level too deep/],
			["Thread.exit", /the handler ended the thread it ran on/],
			["Thread.current.kill", /the handler ended the thread it ran on/],
			["eval('1 +')", /^SyntaxError/],
			["raise Class.new(StandardError) { def message; raise 'no'; end }", /message raised RuntimeError/],
			["nosuch", /^NameError/],
		] as const) {
			const { error } = await worker.ask({ body: code });
			assert.deepEqual([code, error?.type, error?.code ?? "FUNCTION_THREW"], [code, "error", "FUNCTION_THREW"]);
			assert.match(error?.message ?? "", words);
		}
		assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
		assert.equal(await worker.stop(), 0);
	});

	test("the stack of an error has the function's lines and the causes, and a bounded length", async (t) => {
		const worker = start(t, {
			"wrong.rb":
				"def handler(event, context)\n  inner\nrescue ArgumentError\n  raise 'outer'\nend\n\ndef inner\n  raise ArgumentError, 'inner'\nend\n",
		});
		const { message, stack = "" } = (await worker.ask()).error ?? {};
		assert.equal(message, "RuntimeError: outer");
		assert.match(
			stack,
			/wrong\.rb:4:in .*handler': outer \(RuntimeError\)\n(.*\n)*.*wrong\.rb:8:in .*inner': inner \(ArgumentError\)\n\tfrom .*wrong\.rb:2/,
		);
		assert.doesNotMatch(stack, /kubeless_worker/);
		const any = startAny(t);
		const deep = await any.ask({ body: "def deep; deep + 1; end; deep" });
		assert.ok((deep.error?.stack ?? "").length < 20_000);
	});

	test("exit! ends the process", async (t) => {
		const worker = startAny(t);
		worker.begin({ body: "exit!(4)" });
		assert.equal(await worker.exited, 4);
	});

	test("exit in a thread of the function ends that thread only", async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "Thread.new { exit }; sleep 0.1; ''" });
		assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
	});

	test("Timeout.timeout interrupts its block and harms neither the log nor the next call", async (t) => {
		const worker = startAny(t, {}, "require 'timeout'");
		for (let round = 0; round < 5; round++) {
			const { error } = await worker.ask({ body: "Timeout.timeout(0.05) { loop { puts 'x' * 50 } }" });
			assert.match(error?.message ?? "", /^Timeout::Error: execution expired/);
		}
		await worker.ask({ body: "me = Thread.current; Thread.new { sleep 0.02; me.raise('late') }; ''" });
		await wait(60);
		for (let round = 0; round < 12; round++) assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
		assert.equal(await worker.stop(), 0);
	});

	test("an error that ends a thread is printed on stderr", async (t) => {
		const worker = startAny(t);
		await worker.ask({ body: "Thread.new { raise 'in a thread' }.join rescue ''" });
		assert.match(worker.printed("stderr", null), /terminated with exception.*\n.*in a thread/s);
	});

	for (const [how, code] of [
		["fork", "pid = fork; pid ? (Process.wait(pid); \"#{$?.exitstatus}\") : (puts 'from the child'; raise 'it')"],
		["Process.fork with a block", "pid = Process.fork { puts 'from the child'; exit 1 }; Process.wait(pid); \"#{$?.exitstatus}\""],
		["Kernel.fork", "pid = Kernel.fork { $stdout.print('from the child'); exit 1 }; Process.wait(pid); \"#{$?.exitstatus}\""],
	] as const) {
		test(`a child made by ${how} ends when it leaves the handler, and its output has no call id`, async (t) => {
			const worker = startAny(t);
			assert.equal((await worker.ask({ body: code })).text, "1");
			assert.equal((await worker.ask({ body: "'fine'" })).text, "fine");
			assert.equal(await worker.stop(), 0);
			assert.match(worker.stdout, /from the child/);
		});
	}

	test("system, backticks and IO.popen work", async (t) => {
		const worker = startAny(t);
		assert.equal((await worker.ask({ body: "`echo hello`.strip" })).text, "hello");
		assert.equal((await worker.ask({ body: "IO.popen(['cat'], 'r+') { |io| io << 'x'; io.close_write; io.read }" })).text, "x");
		assert.equal((await worker.ask({ body: "system('echo', 'to stdout', out: $stdout).to_s" })).text, "true");
		await worker.stop();
		assert.equal(worker.stdout, "to stdout\n");
	});
});
