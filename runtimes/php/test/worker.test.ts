import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type Candidate, runSuite } from "../../../kubeless-loader/src/conform/conform.ts";
import { report } from "../../../kubeless-loader/src/conform/report.ts";
import type { Start, Step } from "../../../kubeless-loader/src/conform/vectors.ts";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { JSON_TYPE } from "../../../test/support/ask.ts";
import { folder, type Loader, startLoader } from "../../../test/support/loader.ts";

// What is special to functions in PHP; what holds in every language is in test/conformance/.

const runtime = readRuntimes().find(({ id }) => id === "php");
if (runtime?.missing && process.env["CI"]) throw new Error(runtime.missing);
const skip = runtime === undefined ? "there is no PHP runtime" : (runtime.missing ?? false);
const candidate = (): Candidate => runtime?.candidate() as Candidate;

/** Plays steps against a worker with a function file of the test's. */
async function play(t: TestContext, source: string, steps: Step[], env: Record<string, string> = {}, start?: Start): Promise<void> {
	const place = folder(t, { "f.php": `<?php\n${source}` });
	const own = candidate();
	const worker = { ...own, file: join(place, "f.php"), env: { ...own.env, KUBELESS_INSTALL_VOLUME: place, ...env } };
	const suite = { name: "php", optional: false, description: "", rule: ["4.1"], handler: "h", needs: [] };
	for await (const result of runSuite(worker, { ...suite, tests: [{ description: t.name, steps, ...(start && { start }) }] })) {
		assert.equal(result.outcome, "kept", report(result));
	}
}

let last = 0;
/** A call with this body, and what must come of it. */
function calls(pairs: Record<string, object>): Step[] {
	return Object.entries(pairs).flatMap(([body, answer]): Step[] => {
		last += 1;
		return [{ call: { id: last, body } }, { answer: { id: last, ...answer } }];
	});
}

const loaderEnv = { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "php8.2" };
const serve = (t: TestContext, source: string, env: Record<string, string> = {}) => {
	const libraries = candidate().env["RUNTIME_LIBRARIES"];
	const more = libraries === undefined ? {} : { RUNTIME_LIBRARIES: libraries };
	return startLoader(t, { files: { "f.php": `<?php\n${source}` }, env: { ...loaderEnv, ...more, ...env } });
};

const HTML = { "Content-Type": "text/html; charset=UTF-8" };
const JSON_HEAD = { "Content-Type": "application/json" };
const BYTES = { "Content-Type": "application/octet-stream" };

describe("php: what a handler returns", { skip }, () => {
	const source = `
		function h($event, $context) {
			switch ($event->data) {
				case 'text': return 'ciao';
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

	test("goes out as what it is", (t) =>
		play(
			t,
			source,
			calls({
				text: { head: HTML, body: "ciao" },
				nothing: { status: 200, body: "" },
				int: { head: JSON_HEAD, body: "42" },
				float: { head: JSON_HEAD, body: "1.0" },
				false: { head: JSON_HEAD, body: "false" },
				list: { head: JSON_HEAD, body: '[1,"a/é"]' },
				none: { head: JSON_HEAD, body: "[]" },
				object: { head: JSON_HEAD, body: '{"a":1}' },
				itself: { head: JSON_HEAD, body: '{"j":1}' },
				words: { head: HTML, body: "words" },
				iterator: { form: "chunks", body: "ab3" },
				file: { form: "chunks", head: BYTES, body: "from a stream" },
			}),
		));

	test("and has no form is an error that says why", (t) =>
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
	test("is a stdClass, and JSON in it has objects", async (t) => {
		const loader = await serve(
			t,
			`function h($event, $context) {
				return [get_class($event), get_class($context), $event instanceof stdClass, $event->data, $context->timeout, isset($event->extensions->request)];
			}`,
		);
		const json = (body: string, type = "application/json") => loader.ask({ body, headers: { "Content-Type": type } });
		const { text } = await json('{"a":{"b":[1]}}', "application/vnd.x+json; charset=utf-8");
		assert.deepEqual(JSON.parse(text), ["stdClass", "stdClass", true, { a: { b: [1] } }, "180", true]);
		assert.equal(JSON.parse((await loader.ask()).text)[3], "", "no body is an empty string");
		assert.equal(JSON.parse((await json("")).text)[3], null, "and null where it says that it is JSON");
		assert.equal((await json("{")).status, 400);
	});

	test("may be more than the handler takes, and the handler may be in a namespace, or what the file returns", async (t) => {
		await play(t, "function h() { return 'no parameters'; }", calls({ x: { body: "no parameters" } }));
		await play(t, "namespace My\\Own; function H($event) { return __FUNCTION__; }", calls({ x: { body: "My\\Own\\H" } }));
		await play(t, 'return fn ($event) => "returned $event->data";', calls({ x: { body: "returned x" } }));
	});

	test("has the request as a PSR-7 message, and the response", async (t) => {
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

describe("php: what a function prints", { skip }, () => {
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

	/** What a call is answered, and the lines it prints, each behind its stream: as many as it should be, or more. */
	const printed = async (loader: Loader, body: string, count: number): Promise<string[]> => {
		const before = loader.records.length;
		const { text } = await loader.ask({ body });
		const lines = () => loader.records.slice(before).filter(({ stream, call }) => stream !== undefined && call !== undefined);
		await loader.until(`${count} lines`, () => (lines().length >= count ? true : undefined));
		return [text, ...lines().map(({ stream, msg }) => `${stream}: ${msg}`)];
	};

	test("names the call in whole lines, warnings on standard error", async (t) => {
		const loader = await serve(t, source);
		assert.deepEqual(await printed(loader, "x", 2), ["done", "stdout: abc", "stdout: d"]);
		const [text, line] = await printed(loader, "warning", 1);
		assert.equal(text, "1");
		assert.match(line as string, /^stderr: PHP Warning: {2}Undefined variable \$undefined in .*f\.php on line 5$/);
		const [quiet, ...none] = await printed(loader, "quiet", 0);
		assert.match(quiet as string, /no\/such/);
		assert.deepEqual(none, []);
	});

	test("into buffers of its own is its own, and what it leaves in them is printed", async (t) => {
		const loader = await serve(t, source);
		assert.deepEqual(await printed(loader, "own", 0), ["kept"]);
		assert.deepEqual(await printed(loader, "open", 1), ["left", "stdout: inner half"]);
		assert.deepEqual(await printed(loader, "cleared", 0), ["went on"]);
		await loader.said(({ msg, call }) => msg === "raw" && call === undefined);
		assert.deepEqual(await printed(loader, "x", 2), ["done", "stdout: abc", "stdout: d"]);
	});
});

describe("php: what ends a PHP process", { skip }, () => {
	const source = `
		$fresh = 'not yet called';
		function h($event, $context) {
			global $fresh;
			[$was, $fresh] = [$fresh, 'called before'];
			switch ($event->data) {
				case 'exit': exit('last words');
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

	test("ends the call with an error that says what it was, and the next call finds the function fresh", (t) =>
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
			{ output: "last words", stream: "stdout" },
			{ output: "at the end", stream: "stdout" },
		]));

	test("does not end the process itself, nor hand on what it had open", async (t) => {
		const loader = await serve(t, source);
		const of = async (body: string) => (await loader.ask({ body })).text;
		const pid = await of("pid");
		assert.equal(await of("connection"), "1");
		assert.equal((await loader.ask({ body: "exit" })).status, 500);
		assert.equal(await of("pid"), pid);
		assert.equal(await of("connection"), "1");
		assert.equal((await loader.figures()).sum("worker_exits_total"), 0);
	});

	test("comes between two calls, too, where a function keeps half of the memory there is", (t) => {
		const keeps = ["1", "2", "1", "2"].map((body, at): Step[] => [
			{ call: { id: at + 1, body: "keeps" } },
			{ answer: { id: at + 1, body } },
		]);
		return play(t, source, keeps.flat(), { FUNC_MEMORY_LIMIT: "128Mi" });
	});

	test("by a body that memory does not hold is an answer too", (t) =>
		play(t, "function h($event) { return (string) strlen($event->data); }", [
			{ call: { id: 1, body: { repeat: "0123456789", times: 12_000_000 } } },
			{ answer: { id: 1, code: "FUNCTION_THREW", message: { $contains: "Allowed memory size" } } },
			{ call: { id: 2, body: "ciao" } },
			{ answer: { id: 2, body: "4" } },
		]));

	test("leaves the end of the wire in sight", (t) =>
		play(t, "function h($event) { if ($event->data === 'exit') exit; sleep(8); }", [
			{ call: { id: 1, body: "exit" } },
			{ answer: { id: 1, code: "FUNCTION_THREW" } },
			{ call: { id: 2, body: "sleep" } },
			{ close: true },
			{ exit: { $any: true }, within: 1500 },
		]));

	test("while the function is loaded says so, with the cure for what is not installed", async (t) => {
		const failed = (source: string, ...words: string[]) =>
			play(t, source, [{ expect: { type: "failed", code: "HANDLER_FAILED_TO_LOAD", message: { $contains: words } } }, { exit: 1 }], {}, {});
		await failed("exit;", "calls exit while it loads");
		await failed("\nrequire 'vendor/autoload.php';", "line 3", "composer.json");
		await failed("function h() {}\nnothing();", "nothing()", "f.php, line 3");
	});
});

describe("php: children", { skip }, () => {
	test("that come out of the handler end, and do not answer; one that waits for all its children does not wait for ours", (t) =>
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

	test("have neither the wire nor anything else of the worker's but its script", (t) =>
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

describe("php: streams", { skip }, () => {
	const source = `
		function h($event) {
			try {
				for ($i = 0; $i < 100; $i++) { yield str_repeat('x', 1000); usleep(5000); }
			} finally {
				echo "closed\\n";
			}
		}`;

	test("wait while they are paused", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "pause", id: 1 } },
			{ quiet: 1, ms: 300, within: 900 },
			{ send: { type: "resume", id: 1 } },
			{ answer: { id: 1, form: "chunks", body: { $length: 100_000 } } },
		]));

	test("end when they are cancelled, paused or not, and run their finally", (t) =>
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

	test("finish before the worker stops", (t) =>
		play(t, source, [
			{ call: { id: 1 } },
			{ expect: { type: "head", id: 1 } },
			{ send: { type: "stop" } },
			{ answer: { id: 1, body: { $length: 100_000 } } },
			{ exit: 0, within: 2000 },
		]));
});

describe("php: from call to call", { skip }, () => {
	test("what is in the file stays, and superglobals and a time limit do not", (t) =>
		play(
			t,
			`$count = 0;
			function h() {
				global $count;
				$seen = [++$count, $_GET, ini_get('max_execution_time')];
				$_GET['x'] = 'of one caller';
				set_time_limit(1);
				return $seen;
			}`,
			calls({ a: { body: '[1,[],"0"]' }, b: { body: '[2,[],"0"]' } }),
		));
});
