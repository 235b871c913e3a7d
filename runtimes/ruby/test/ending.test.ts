import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsRuby, start, startAny } from "./worker.ts";

describe("Ruby: after stop", needsRuby, () => {
	test("the function's SIGTERM handler runs after the last answer and before its at_exit blocks, and the exit code stays 0", async (t) => {
		const source = `
trap('TERM') do |number|
  puts "handler #{number}"
  exit 3
end
at_exit { puts 'at exit' }
def handler(event, context)
  sleep 0.2
  puts 'answered'
end
`;
		const worker = await start(t, { "f.rb": source }).ready();
		worker.begin();
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.printed(), "answered\nhandler 15\nat exit\n");
	});

	test("the worker ends if its reader fails and its stack cannot be printed", async (t) => {
		const worker = startAny(t);
		const fails = "STDERR.close; KubelessWorker::Wire.class_eval { def read = raise(NoMemoryError) }";
		assert.equal((await worker.ask({ body: `${fails}; 'broken'` })).text, "broken");
		worker.begin();
		assert.equal(await worker.exited, 70);
	});

	test("a thread that the SIGTERM handler starts runs to its end", async (t) => {
		const worker = startAny(t, {}, "trap('TERM') { Thread.new { sleep 0.2; puts 'closed' } }");
		await worker.ask({ body: "''" });
		assert.equal(await worker.stop(), 0);
		assert.equal(worker.printed(), "closed\n");
	});

	test("an error in the SIGTERM handler is printed, and the at_exit blocks run", async (t) => {
		const worker = startAny(t, {}, "trap('TERM') { raise 'in the handler' }\nat_exit { puts 'at exit' }");
		await worker.started();
		assert.equal(await worker.stop(), 0);
		assert.match(worker.printed("stderr"), /in the handler/);
		assert.equal(worker.printed("stdout"), "at exit\n");
	});

	test("a function that ignores SIGTERM ends with code 0", async (t) => {
		const worker = startAny(t, {}, "trap('TERM', 'IGNORE')");
		await worker.started();
		assert.equal(await worker.stop(), 0);
	});
});
