import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asked, calls, play, serve, skip } from "./play.ts";

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

	test("exit and fatal errors answer the running call with an error, and the next call finds the function loaded anew", (t) =>
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

	test("exit keeps the process and closes the streams that the function opened", async (t) => {
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

	test("exit and fatal errors of a file that is being loaded are a failed frame with file, line and cure", async (t) => {
		const failed = (source: string, ...words: string[]) =>
			play(t, source, [{ expect: { type: "failed", code: "HANDLER_FAILED_TO_LOAD", message: { $contains: words } } }, { exit: 1 }], {}, {});
		await failed("exit;", "calls exit while it loads");
		await failed("\nrequire 'vendor/autoload.php';", "line 3", "composer.json");
		await failed("function h() {}\nnothing();", "nothing()", "f.php, line 3");
	});
});

describe("php: child processes", { skip }, () => {
	test("children made by pcntl_fork end when they return from the handler, and send no answer", (t) =>
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

	test("child processes inherit no socket of the worker", (t) =>
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
