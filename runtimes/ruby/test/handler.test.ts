import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsRuby, start } from "./worker.ts";

describe("Ruby: the function's file", needsRuby, () => {
	test("names of the file do not clash with those of the worker, and its variables stay between calls", async (t) => {
		const source = `# frozen_string_literal: true
Wire = 'mine'
Calls = 1
COUNT = [0]
@limit = 3

class Handler
  def self.load(*) 'own' end
end

Error = Class.new(StandardError)

def helper(text) "#{text} #{Wire} #{@limit}" end
def self.other() 'other' end
def send(*) raise 'not this' end
def hash() raise 'nor this' end
def call(*) raise 'nor that' end
def write(*) raise 'nor that' end

def handler(event, context)
  COUNT[0] += 1
  [helper('help'), other, Handler.load, COUNT[0], __FILE__[/\\w+\\.rb/], File.basename(__dir__ || '') != '', 'x'.frozen?, Wire.hash == 'mine'.hash].inspect
end
`;
		const worker = start(t, { "names.rb": source });
		await worker.ask();
		assert.equal((await worker.ask()).text, '["help mine 3", "other", "own", 2, "names.rb", true, true, true]');
		assert.match((await worker.ask({ body: "x" })).text, /, 3, /);
	});

	test("the file may require files beside it, and end with __END__", async (t) => {
		const worker = start(t, {
			"main.rb":
				"require_relative 'lib/helper'\nrequire './other'\ndef handler(event, context)\n  Helper.help + other\nend\n__END__\nno Ruby )",
			"lib/helper.rb": "module Helper; def self.help; 'helped'; end; end",
			"other.rb": "def other; ' otherwise'; end",
		});
		assert.equal((await worker.ask()).text, "helped otherwise");
	});

	test("the handler may be defined by another file, or by define_method", async (t) => {
		const files = {
			"main.rb": "require_relative 'other'\ndefine_method(:made) { |event, context| 'made' }",
			"other.rb": "def other(event, context) 'elsewhere' end",
		};
		assert.equal((await start(t, files, "other").ask()).text, "elsewhere");
		assert.equal((await start(t, files, "made").ask()).text, "made");
	});

	test("a file that cannot be loaded is refused with the reason, the place and the cure", async (t) => {
		for (const [source, words] of [
			[
				"\nrequire 'nosuchgem'\n",
				/^LoadError: cannot load such file -- nosuchgem \(f\.rb, line 2\); list the gem in a Gemfile beside the file$/,
			],
			["exit 0", /^SystemExit: exit \(f\.rb, line 1\); the file is loaded once and must not end the process$/],
			["def handler(\n", /f\.rb:\d/],
			["raise 'at load'", /^RuntimeError: at load \(f\.rb, line 1\)$/],
			["def handle(event, context) end\ndef handler2() end", /^f\.rb has no method handler: did you mean handle\?$/],
			["", /: write one, `def handler\(event, context\)`$/],
		] as const) {
			const failed = await start(t, { "f.rb": source }).failed();
			assert.match(failed.message ?? "", words, source);
		}
		const empty = await start(t, { "f.rb": "puts 1" }, "").started();
		assert.match(empty.message ?? "", /no method of the form `def handler\(event, context\)`/);
		const many = await start(t, { "f.rb": "def a(e, c) end\ndef b(e, c) end\ndef c() end" }, "").started();
		assert.deepEqual(many.handlers, ["a", "b"]);
		for (const name of ["puts", "hash", "fork", "extend"])
			assert.equal((await start(t, { "f.rb": "" }, name).started()).code, "HANDLER_NOT_FOUND", name);
	});
});
