import { describe, test } from "node:test";
import { calls, play, skip } from "./play.ts";

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };
const JSON_HEAD = { "Content-Type": "application/json" };
const BYTES = { "Content-Type": "application/octet-stream" };

describe("php: the result of a handler", { skip }, () => {
	const source = `
		function h($event, $context) {
			switch ($event->data) {
				case 'text': return 'ciao';
				case 'html': return ' <!DOCTYPE html><p>';
				case 'json text': return '{"a":"<script>alert(1)</script>"}';
				case 'xml': return '<?xml ?>';
				case 'image': return 'GIF89a';
				case 'page': return new ArrayIterator(['<html>']);
				case 'nothing': return;
				case 'int': return 42;
				case 'float': return 1.0;
				case 'false': return false;
				case 'list': return [1, 'a/é'];
				case 'none': return [];
				case 'object': return new class { public $a = 1; private $b = 2; };
				case 'itself': return new class implements JsonSerializable { #[ReturnTypeWillChange] function jsonSerialize() { return ['j' => 1]; } };
				case 'words': return new class { function __toString() { return 'words'; } };
				case 'iterator': return new ArrayIterator(['a', 'b', 3]);
				case 'file': return fopen('data:,from a stream', 'r');
				case 'nan': return NAN;
				case 'latin': return ["\\xff"];
				case 'loop': $a = []; $a[0] = &$a; return $a;
				case 'bad item': return (function () { yield 'x'; yield []; })();
			}
		}`;

	test("the result decides the body and the Content-Type of the answer", (t) =>
		play(
			t,
			source,
			calls({
				text: { head: TEXT, body: "ciao" },
				html: { head: { "Content-Type": "text/html; charset=utf-8" }, body: " <!DOCTYPE html><p>" },
				"json text": { head: TEXT, body: '{"a":"<script>alert(1)</script>"}' },
				xml: { head: { "Content-Type": "text/xml; charset=utf-8" }, body: "<?xml ?>" },
				image: { head: { "Content-Type": "image/gif" }, body: "GIF89a" },
				nothing: { status: 200, body: "" },
				page: { form: "chunks", head: { "Content-Type": "text/html; charset=utf-8" }, body: "<html>" },
				int: { head: JSON_HEAD, body: "42" },
				float: { head: JSON_HEAD, body: "1.0" },
				false: { head: JSON_HEAD, body: "false" },
				list: { head: JSON_HEAD, body: '[1,"a/é"]' },
				none: { head: JSON_HEAD, body: "[]" },
				object: { head: JSON_HEAD, body: '{"a":1}' },
				itself: { head: JSON_HEAD, body: '{"j":1}' },
				words: { head: TEXT, body: "words" },
				iterator: { form: "chunks", head: TEXT, body: "ab3" },
				file: { form: "chunks", head: BYTES, body: "from a stream" },
			}),
		));

	test("a result that cannot be sent is a RESULT_INVALID error with the reason", (t) =>
		play(
			t,
			source,
			calls({
				nan: { code: "RESULT_INVALID", message: { $contains: "float" } },
				latin: { code: "RESULT_INVALID", message: { $contains: "UTF-8" } },
				loop: { code: "RESULT_INVALID", message: { $contains: "array" } },
				"bad item": { code: "RESULT_INVALID", message: { $contains: "streamed" } },
			}),
		));
});

describe("php: a stream", { skip }, () => {
	const source = `
		function h($event) {
			try {
				for ($i = 0; $i < 100; $i++) { yield str_repeat('x', 1000); usleep(5000); }
			} finally {
				echo "closed\\n";
			}
		}`;

	test("a stream sends nothing while it is paused", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "pause", id: 1 } },
			{ quiet: 1, ms: 300, within: 900 },
			{ send: { type: "resume", id: 1 } },
			{ answer: { id: 1, form: "chunks", body: { $length: 100_000 } } },
		]));

	test("a stream ends when it is cancelled, paused or not, and its finally blocks run", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "cancel", id: 1 } },
			{ ended: 1, within: 1000 },
			{ call: { id: 2 } },
			{ expect: { type: "head", id: 2 } },
			{ send: { type: "pause", id: 2 } },
			{ quiet: 2, ms: 200, within: 900 },
			{ send: { type: "cancel", id: 2 } },
			{ ended: 2, within: 1000 },
			{ output: "closed", stream: "stdout" },
		]));

	test("a stream is sent to its end before the worker stops", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "stop" } },
			{ answer: { id: 1, body: { $length: 100_000 } } },
			{ exit: 0, within: 2000 },
		]));
});
