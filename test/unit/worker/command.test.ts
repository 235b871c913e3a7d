import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CommandWorker } from "../../../kubeless-loader/src/worker/command/worker.ts";
import type { WorkerCall, WorkerEvents } from "../../../kubeless-loader/src/worker/contract.ts";

const CALLS = 5;

/** Starts a worker that runs a shell script for each call, and sends it calls. */
async function sendCalls(script: string) {
	const answers: string[] = [];
	const ready = Promise.withResolvers<void>();
	const ended = Promise.withResolvers<void>();
	let rooms = 0;
	const room = () => ++rooms === CALLS && ended.resolve();
	const events: WorkerEvents = { ready: ready.resolve, room, returned: () => {}, gone: () => {}, failed: () => {}, line: () => {} };
	const command = { command: ["sh", "-c", script], env: { PATH: process.env["PATH"] }, cwd: "/" };
	const worker = new CommandWorker(command, { concurrency: CALLS, output: "body" }, events);
	await ready.promise;
	const answer = {
		result: (status: number, _head: unknown, bytes: Buffer) => answers.push(`${status} ${bytes}`),
		fail: (code: string) => answers.push(code),
	};
	const event = { attributes: undefined };
	const call = { method: "GET", url: "/", headers: [], address: "", event, answer } as unknown as WorkerCall;
	const runs = Array.from({ length: CALLS }, () => worker.send(call));
	return { worker, runs, answers, ended: ended.promise };
}

test("commands for calls of one turn are started in turns of their own, and all are answered", async () => {
	const { worker, answers, ended } = await sendCalls("printf hello; sleep 0.2");
	const running = [0];
	for (let turn = 0; turn <= CALLS; turn++) {
		running.push(worker.pids.length);
		await nextTurn();
	}
	const started = running.slice(1).map((count, turn) => count - (running[turn] as number));
	assert.ok(
		started.every((count) => count <= 1),
		`processes by turn: ${running}`,
	);
	await ended;
	assert.deepEqual(
		answers,
		answers.map(() => "200 hello"),
	);
	assert.equal(answers.length, CALLS);
});

test("a command whose call is cancelled before it is started is not started", async () => {
	const { worker, runs, answers, ended } = await sendCalls("exit 3");
	for (const run of runs) run.cancel();
	await ended;
	assert.deepEqual([worker.pids, worker.inFlight, answers], [[], 0, []]);
});

test("commands that are not started yet when the worker is killed fail their calls", async () => {
	const { worker, answers } = await sendCalls("sleep 60");
	worker.kill("stopped", "the loader was stopped at once");
	for (let turn = 0; turn <= CALLS; turn++) await nextTurn();
	assert.deepEqual([worker.inFlight, answers], [0, Array(CALLS).fill("WORKER_DIED")]);
});
