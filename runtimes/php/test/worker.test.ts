import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import type { Loader } from "../../../test/support/loader.ts";
import { asked, calls, play, serve, skip } from "./play.ts";

// Behaviour that only PHP's worker has. test/conformance/ tests what holds in every language.

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

	test("decides body and Content-Type of the answer", (t) =>
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

	test("is a RESULT_INVALID error with the reason if it cannot be sent", (t) =>
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

describe("php: the event", { skip }, () => {
	test("is a stdClass whose JSON data has objects", async (t) => {
		const loader = await serve(
			t,
			`function h($event, $context) {
				return [get_class($event), get_class($context), $event instanceof stdClass, $event->data, $context->timeout, isset($event->extensions->request)];
			}`,
		);
		const json = (body: string, type = "application/json") => loader.ask({ body, headers: { "Content-Type": type } });
		const { text } = await json('{"a":{"b":[1]}}', "application/vnd.x+json; charset=utf-8");
		assert.deepEqual(JSON.parse(text), ["stdClass", "stdClass", true, { a: { b: [1] } }, "180", true]);
		assert.equal(JSON.parse((await loader.ask()).text)[3], "", "data without a body is an empty string");
		assert.equal(JSON.parse((await json("")).text)[3], null, "data of an empty JSON body is null");
		assert.equal((await json("{")).status, 400);
	});

	test("reaches a handler with fewer parameters, one in a namespace, and a closure that the file returns", async (t) => {
		await play(t, "function h() { return 'no parameters'; }", calls({ x: { body: "no parameters" } }));
		await play(t, "namespace My\\Own; function H($event) { return __FUNCTION__; }", calls({ x: { body: "My\\Own\\H" } }));
		await play(t, 'return fn ($event) => "returned $event->data";', calls({ x: { body: "returned x" } }));
	});

	test("has the request and the response as PSR-7 messages", async (t) => {
		const loader = await serve(
			t,
			`function h($event, $context) {
				$request = $event->extensions->request;
				if ($request->getMethod() === 'PUT') {
					return new (get_class($event->extensions->response))(418, ['Content-Type' => 'text/teapot'], 'short');
				}
				$event->extensions->response = $event->extensions->response->withStatus(202)->withHeader('X-A', '1');
				$event->extensions->response->getBody()->write('written, then ');
				return json_encode([
					(string) $request->getUri(), $request->getQueryParams(), $request->getParsedBody(), $request->getCookieParams(),
					$request->getHeaderLine('x-b'), (string) $request->getBody(), $request->getServerParams()['REQUEST_URI'],
				], JSON_UNESCAPED_SLASHES);
			}`,
		);
		const headers = ["Host", "me", "Content-Type", "application/x-www-form-urlencoded", "Cookie", "c=d%20e; f=g", "X-B", "1", "X-B", "2"];
		const { status, headers: got, text } = await loader.ask({ path: "//a/b?q[]=1&q[]=2", headers, method: "POST", body: "k=v+w" });
		assert.equal(status, 202);
		assert.equal(got["x-a"], "1");
		assert.deepEqual(JSON.parse(text.replace(/^written, then /, "")), [
			"http://me/a/b?q%5B%5D=1&q%5B%5D=2",
			{ q: ["1", "2"] },
			{ k: "v w" },
			{ c: "d e", f: "g" },
			"1, 2",
			"k=v+w",
			"//a/b?q[]=1&q[]=2",
		]);
		const teapot = await loader.ask({ method: "PUT", body: "{}", headers: JSON_TYPE });
		assert.deepEqual([teapot.status, teapot.headers["content-type"], teapot.text], [418, "text/teapot", "short"]);
	});
});

describe("php: the output of a function", { skip }, () => {
	const source = `
		function h($event, $context) {
			switch ($event->data) {
				case 'warning': return 1 + $undefined;
				case 'quiet': @file_get_contents('/no/such'); return error_get_last()['message'];
				case 'open': ob_start(); echo 'inner '; ob_start(); echo "half"; return 'left';
				case 'own': ob_start(); echo 'kept'; return ob_get_clean();
				case 'cleared': while (ob_get_level()) ob_end_clean(); echo "raw\\n"; return 'went on';
				default: echo 'a', 'b', "c\\nd"; return 'done';
			}
		}`;

	/**
	 * What a call is answered, and the lines it prints, each behind its stream: as many as it should
	 * be, or more.
	 */
	const printed = async (loader: Loader, body: string, count: number): Promise<string[]> => {
		const before = loader.records.length;
		const { text } = await loader.ask({ body });
		const lines = () => loader.records.slice(before).filter(({ stream, call }) => stream !== undefined && call !== undefined);
		await loader.until(`${count} lines`, () => (lines().length >= count ? true : undefined));
		return [text, ...lines().map(({ stream, msg }) => `${stream}: ${msg}`)];
	};

	test("is logged in whole lines with the call, and warnings are logged as stderr", async (t) => {
		const loader = await serve(t, source);
		assert.deepEqual(await printed(loader, "x", 2), ["done", "stdout: abc", "stdout: d"]);
		const [text, line] = await printed(loader, "warning", 1);
		assert.equal(text, "1");
		assert.match(line as string, /^stderr: PHP Warning: {2}Undefined variable \$undefined in .*f\.php on line 5$/);
		const [quiet, ...none] = await printed(loader, "quiet", 0);
		assert.match(quiet as string, /no\/such/);
		assert.deepEqual(none, []);
	});

	test("is logged from output buffers that the handler leaves open, and not from those it empties", async (t) => {
		const loader = await serve(t, source);
		assert.deepEqual(await printed(loader, "own", 0), ["kept"]);
		assert.deepEqual(await printed(loader, "open", 1), ["left", "stdout: inner half"]);
		assert.deepEqual(await printed(loader, "cleared", 0), ["went on"]);
		await loader.said(({ msg, call }) => msg === "raw" && call === undefined);
		assert.deepEqual(await printed(loader, "x", 2), ["done", "stdout: abc", "stdout: d"]);
	});
});

describe("php: exit and fatal errors", { skip }, () => {
	const source = `
		$fresh = 'not yet called';
		function h($event, $context) {
			global $fresh;
			[$was, $fresh] = [$fresh, 'called before'];
			switch ($event->data) {
				case 'exit': exit('bye');
				case 'fatal': trigger_error('mine', E_USER_ERROR); return;
				case 'memory': for ($all = []; ; ) $all[] = str_repeat('x', 100000);
				case 'compiled': eval('function h() {}'); return;
				case 'registered': register_shutdown_function(function () { echo "at the end\\n"; }); exit;
				case 'stream': return (function () { yield 'x'; exit; })();
				case 'pid': return (string) getmypid();
				case 'keeps': $GLOBALS['kept'][] = str_repeat('x', 30 << 20); return (string) count($GLOBALS['kept']);
				case 'destroyed': $GLOBALS['o'] = new class { function __destruct() { throw new Exception('in a destructor'); } }; $GLOBALS['o'] = null;
				case 'late': $event->late = new class { function __destruct() { exit; } }; return 'late';
				case 'large': return (string) strlen($event->data);
				case 'connection': $GLOBALS['c'] = fopen('/dev/zero', 'r'); return (string) count(array_filter(glob('/proc/self/fd/*'), fn ($fd) => @readlink($fd) === '/dev/zero'));
				default: return $was;
			}
		}`;

	test("answer the running call with an error, and the next call finds the function loaded anew", (t) =>
		play(t, source, [
			...calls({
				exit: { code: "FUNCTION_THREW", message: { $contains: "exit" } },
				a: { body: "not yet called" },
				b: { body: "called before" },
				fatal: { code: "FUNCTION_THREW", message: { $contains: ["mine", "f.php, line"] } },
				c: { body: "not yet called" },
				memory: { code: "FUNCTION_THREW", message: { $contains: ["Allowed memory size", "f.php, line"] } },
				compiled: { code: "FUNCTION_THREW", message: { $contains: "redeclare h()" } },
				destroyed: { code: "FUNCTION_THREW", message: { $contains: "in a destructor" } },
				registered: { code: "FUNCTION_THREW" },
				late: { body: "late" },
				d: { body: "not yet called" },
				stream: { code: "FUNCTION_THREW" },
				e: { body: "not yet called" },
			}),
			{ output: "bye", stream: "stdout" },
			{ output: "at the end", stream: "stdout" },
		]));

	test("keep the process and close the streams that the function opened", async (t) => {
		const loader = await serve(t, source);
		const of = async (body: string) => (await loader.ask({ body })).text;
		const pid = await of("pid");
		assert.equal(await of("connection"), "1");
		assert.equal((await loader.ask({ body: "exit" })).status, 500);
		assert.equal(await of("pid"), pid);
		assert.equal(await of("connection"), "1");
		assert.equal((await loader.figures()).sum("worker_exits_total"), 0);
	});

	test("the function is loaded anew between two calls if it keeps half of the memory", (t) => {
		const keeps = ["1", "2", "1", "2"].map((body, at) => asked(at + 1, { body: "keeps" }, { body }));
		return play(t, source, keeps.flat(), { FUNC_MEMORY_LIMIT: "128Mi" });
	});

	test("a body that does not fit into memory is answered with an error, and the worker serves on", (t) =>
		play(t, "function h($event) { return (string) strlen($event->data); }", [
			{ call: { id: 1, body: { repeat: "0123456789", times: 12_000_000 } } },
			{ answer: { id: 1, code: "FUNCTION_THREW", message: { $contains: "raise the memory limit" } } },
			{ call: { id: 2, body: "ciao" } },
			{ answer: { id: 2, body: "4" } },
		]));

	test("while the file is loaded are a failed frame with the file, the line and the cure", async (t) => {
		const failed = (source: string, ...words: string[]) =>
			play(t, source, [{ expect: { type: "failed", code: "HANDLER_FAILED_TO_LOAD", message: { $contains: words } } }, { exit: 1 }], {}, {});
		await failed("exit;", "calls exit while it loads");
		await failed("\nrequire 'vendor/autoload.php';", "line 3", "composer.json");
		await failed("function h() {}\nnothing();", "nothing()", "f.php, line 3");
	});
});

describe("php: child processes", { skip }, () => {
	test("made by pcntl_fork end when they return from the handler, and send no answer", (t) =>
		play(
			t,
			`function h($event) {
				if (!function_exists('pcntl_fork')) return 'no fork';
				$child = pcntl_fork();
				if ($child === 0) { echo "in the child\\n"; return 'child'; }
				while (pcntl_wait($status) > 0) $codes[] = pcntl_wexitstatus($status);
				return implode($codes) === '0' ? 'no fork' : 'other';
			}`,
			[...calls({ x: { body: "no fork" }, y: { body: "no fork" } })],
		));

	test("inherit no socket of the worker", (t) =>
		play(
			t,
			`function h($event) {
				$process = proc_open(['ls', '-l', '/proc/self/fd'], [1 => ['pipe', 'w']], $pipes);
				$lists = stream_get_contents($pipes[1]) . shell_exec('ls -l /proc/self/fd');
				return (string) preg_match('/ ([3-9]|\\d\\d+) -> socket/', $lists);
			}`,
			calls({ x: { body: "0" } }),
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

	test("stands still while it is paused", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "pause", id: 1 } },
			{ quiet: 1, ms: 300, within: 900 },
			{ send: { type: "resume", id: 1 } },
			{ answer: { id: 1, form: "chunks", body: { $length: 100_000 } } },
		]));

	test("ends when it is cancelled, paused or not, and its finally blocks run", (t) =>
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

	test("is finished before the worker stops", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "stop" } },
			{ answer: { id: 1, body: { $length: 100_000 } } },
			{ exit: 0, within: 2000 },
		]));
});
