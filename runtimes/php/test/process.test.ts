import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { poll } from "../../../test/support/poll.ts";
import { calls, play, serve, skip } from "./play.ts";

// What a call leaves in the process, and how the process ends.

/** Calls the handler twice, and expects this answer both times. */
const twice = (body: string) => calls({ first: { body }, second: { body } });

describe("php: what one call changes in the process, the next call does not see", { skip }, () => {
	const changes: Record<string, [code: string, body: string]> = {
		"the working folder": ["$was = basename(getcwd()) === basename(__DIR__); chdir('/'); return (string) $was;", "1"],
		"the umask": ["return sprintf('%o', umask(0777) === 0777);", "0"],
		"environment variables": ["$was = getenv('A'); putenv('A=1'); return json_encode($was);", "false"],
		"a setting of php.ini": ["$was = ini_get('precision'); ini_set('precision', '3'); return $was;", "14"],
		"the error reporting": ["$was = error_reporting(); error_reporting(0); return json_encode($was > 0);", "true"],
		"the include path": ["$was = get_include_path(); set_include_path('/nowhere'); return json_encode($was !== '/nowhere');", "true"],
		"the time limit": ["$was = ini_get('max_execution_time'); set_time_limit(100); return $was;", "0"],
		"the time zone": ["$was = date_default_timezone_get(); date_default_timezone_set('Asia/Tokyo'); return $was;", "UTC"],
		"the locale": ["$was = setlocale(LC_ALL, 0); setlocale(LC_ALL, 'C.UTF-8'); return json_encode($was !== setlocale(LC_ALL, 0));", "true"],
		"error handlers": [
			"$was = 'none'; set_error_handler(function () use (&$was) { $was = 'left'; return true; }); restore_error_handler(); set_error_handler('h2'); return strlen(file_get_contents('/nowhere')) . $was;",
			"0none",
		],
	};
	for (const [name, [code, body]] of Object.entries(changes)) {
		const source = `function h2() { return true; } function h() { ${code} }`;
		test(`a call that changes ${name} does not change it for the next call`, (t) => play(t, source, twice(body)));
	}

	test("an error handler that a call sets or removes is as before in the next call", (t) =>
		play(
			t,
			`set_error_handler(function () { throw new Exception('from the file'); });
			function h($event) {
				try { echo $undefined; $saw = 'none'; } catch (Exception $error) { $saw = $error->getMessage(); }
				$event->data === 'first' ? restore_error_handler() : set_error_handler(function () { return true; });
				return $saw;
			}`,
			calls({ first: { body: "from the file" }, second: { body: "from the file" }, third: { body: "from the file" } }),
		));

	test("a session that a call started is closed before the next call", (t) =>
		play(
			t,
			`ini_set('session.save_path', sys_get_temp_dir());
			function h() { @session_start(); $was = $_SESSION['user'] ?? 'none'; $_SESSION['user'] = 'ann'; return $was; }`,
			twice("none"),
		));

	test("changes by a file that a call includes do not reach the next call", (t) =>
		play(t, "function h() { return require 'other.php'; }", twice("yes"), {}, undefined, {
			"other.php": "<?php $was = getcwd() === __DIR__; chdir('/'); return $was ? 'yes' : 'no';",
		}));
});

describe("php: functions and classes that a call declares", { skip }, () => {
	test("functions and classes that a call declares can be declared again by the next call", (t) =>
		play(
			t,
			`namespace My;
			class Uses { function method() { return new class { }; } }
			function h() {
				static $count = 0;
				function half($n) { return $n / 2; }
				class Order { const N = 4; }
				return 'twice ' . half(Order::N) . ++$count;
			}`,
			twice("twice 21"),
		));

	test("functions can come from a file that every call includes", (t) =>
		play(t, "function h() { require 'other.php'; return half(4) . counted(); }", twice("21"), {}, undefined, {
			"other.php": "<?php function half($n) { return $n / 2; } function counted() { static $count = 0; return ++$count; }",
		}));

	test("functions stay, with everything else that is kept, if the code checks whether they exist", (t) =>
		play(
			t,
			`function h() {
				static $count = 0;
				if (!function_exists('half')) { function half($n) { return $n / 2; } }
				require_once 'other.php';
				return half(4) . third(3) . ++$count;
			}`,
			calls({ first: { body: "211" }, second: { body: "212" } }),
			{},
			undefined,
			{ "other.php": "<?php function third($n) { return $n / 3; }" },
		));

	test("a function that eval declares again is a fatal error with the cure", (t) =>
		play(t, "function h() { eval('function h() {}'); }", calls({ x: { code: "FUNCTION_THREW", message: { $contains: "require_once" } } })));
});

describe("php: the end of a worker", { skip }, () => {
	const waits = 'pcntl_async_signals(true);\npcntl_signal(SIGTERM, function () { echo "SIGTERM\\n"; exit(3); });';

	test("stop runs the function's SIGTERM handler, its shutdown functions and destructors, and keeps exit code 0", (t) =>
		play(
			t,
			`${waits}
			register_shutdown_function(function () { echo "shutdown\\n"; });
			class Kept { function __destruct() { fwrite(STDOUT, "destructor\\n"); } }
			$kept = new Kept();
			function h() { return 'x'; }`,
			[
				...calls({ x: { body: "x" } }),
				{ send: { type: "stop" } },
				{ exit: 0, within: 2000 },
				{ output: "SIGTERM", stream: "stdout" },
				{ output: "shutdown", stream: "stdout" },
				{ output: "destructor", stream: "stdout" },
			],
		));

	test("a worker ends with its loader, also inside a call", { skip: process.platform !== "linux" && "needs setpriv" }, async (t) => {
		const loader = await serve(t, "function h() { echo 'pid ', getmypid(), \"\\n\"; sleep(60); }");
		void loader.ask().catch(() => {});
		const record = await loader.said(({ msg }) => /^pid \d+$/.test(msg ?? ""));
		const pid = Number(record.msg?.slice(4));
		loader.child.kill("SIGKILL");
		await poll(
			() => (alive(pid) ? undefined : true),
			() => "the worker still runs",
		);
	});

	test("the end of a worker ends the children that it forked", async (t) => {
		const loader = await serve(
			t,
			`function h() {
				$child = pcntl_fork();
				if ($child === 0) { sleep(60); exit; }
				echo "pid $child\\n";
				posix_kill(getmypid(), SIGKILL);
			}`,
		);
		assert.equal((await loader.ask()).status, 502);
		const record = await loader.said(({ msg }) => /^pid \d+$/.test(msg ?? ""));
		await poll(
			() => (alive(Number(record.msg?.slice(4))) ? undefined : true),
			() => "the child still runs",
		);
	});

	test("a new worker replaces a process that a fatal error ended while it held a connection that PHP cannot close", async (t) => {
		const loader = await serve(
			t,
			`function h($event) {
				if ($event->data === 'pid') return (string) getmypid();
				socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $GLOBALS['pair']);
				exit;
			}`,
		);
		const pid = async () => (await loader.ask({ body: "pid" })).text;
		const before = await pid();
		assert.equal((await loader.ask({ body: "exit" })).status, 500);
		await poll(
			async () => ((await pid()) === before ? undefined : true),
			() => "the same process still answers",
		);
	});
});

function alive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
