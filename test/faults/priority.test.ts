import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import test from "node:test";
import { startCommand } from "../support/commands.ts";
import { type Loader, startLoader } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { workersOf } from "../support/processes.ts";
import { startServer } from "../support/servers.ts";

/** Returns the nice values of all threads of a process (proc_pid_stat(5), field 19). */
function niceValues(pid: number): number[] {
	return readdirSync(`/proc/${pid}/task`).map((thread) => {
		const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1").replace(/^.*\) /s, "");
		return Number(fields.split(" ")[16]);
	});
}

const KINDS: Record<string, (owner: Owner) => Promise<Loader>> = {
	"that speaks the wire": (owner) =>
		startLoader(owner, { files: { "f.js": 'exports.h = () => "x"' }, env: { MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs" } }),
	"that is an HTTP server": (owner) => startServer(owner),
	"that is a command": async (owner) => {
		const loader = await startCommand(owner);
		void loader.ask("/sleep?30").catch(() => {}); // ends with the loader
		await loader.figuresWhen("the call", ({ inFlight }) => inFlight === 1);
		return loader;
	},
};

for (const [kind, start] of Object.entries(KINDS)) {
	test(`every thread of a worker ${kind} has a lower priority than the loader`, async (t) => {
		const loader = await start(t);
		const pids = await poll(
			() => (workersOf(loader).length > 0 ? workersOf(loader) : undefined),
			() => "no worker was started",
		);
		const own = getPriority(loader.child.pid);
		for (const nice of pids.flatMap(niceValues)) assert.ok(nice > own, `the loader has ${own}, a thread of a worker ${nice}`);
	});
}

test("a worker has a lower priority than a loader whose own priority is low", async (t) => {
	const loader = await startServer(t);
	setPriority(loader.child.pid as number, constants.priority.PRIORITY_BELOW_NORMAL);
	const [first] = workersOf(loader) as [number];
	process.kill(first, "SIGKILL");
	const replacement = await poll(
		() => workersOf(loader).find((pid) => pid !== first),
		() => "the worker was not replaced",
	);
	await loader.ask();
	assert.ok(getPriority(replacement) > constants.priority.PRIORITY_BELOW_NORMAL, `${getPriority(replacement)}`);
});
