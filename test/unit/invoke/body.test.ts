import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import test, { type TestContext } from "node:test";
import { BODY_STALL_MS, ByteBudget, readBody } from "../../../kubeless-loader/src/invoke/body.ts";

const BUDGET = 100_000;

/** Reads a body whose chunks the test writes. */
function reading(declared = -1) {
	const request = new PassThrough();
	const budget = new ByteBudget(BUDGET);
	const ended = Promise.withResolvers<{ fault: string | undefined; body: Buffer; parts: number; reserved: number }>();
	readBody(request as unknown as IncomingMessage, declared, BUDGET, budget, (fault, { parts }, reserved) =>
		ended.resolve({ fault, body: Buffer.concat(parts), parts: parts.length, reserved }),
	);
	return { request, budget, ended: ended.promise };
}

/** Time passes in steps in which the event loop turns. */
async function pass(t: TestContext, ms: number): Promise<void> {
	for (let left = ms; left > 0; left -= 1000) {
		t.mock.timers.tick(1000);
		await new Promise(process.nextTick);
	}
}

// First, because the timer of all bodies must be the test's own.
test("a body of which no byte comes for the time limit is given up, and its bytes are released", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	const now = performance.now();
	let passed = 0;
	t.mock.method(performance, "now", () => now + passed);
	const { request, budget, ended } = reading(50_000);
	request.write(Buffer.alloc(1000));
	for (; passed < 2 * BODY_STALL_MS; passed += 1000) await pass(t, 1000);
	assert.equal((await ended).fault, "BODY_TIMED_OUT");
	assert.equal(budget.reserved, 0);
});

test("a slow body that goes on coming is not given up", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	const now = performance.now();
	let passed = 0;
	t.mock.method(performance, "now", () => now + passed);
	const { request, ended } = reading(50_000);
	for (; passed < 5 * BODY_STALL_MS; passed += 1000) {
		if (passed % (BODY_STALL_MS / 2) === 0) request.write("x");
		await pass(t, 1000);
	}
	request.end();
	assert.equal((await ended).fault, undefined);
});

test("a body's bytes are reserved as they come", async () => {
	const { request, budget, ended } = reading(50_000);
	assert.equal(budget.reserved, 0);
	request.write(Buffer.alloc(20_000));
	await new Promise(setImmediate);
	assert.equal(budget.reserved, 20_000);
	request.end(Buffer.alloc(30_000));
	assert.equal((await ended).reserved, 50_000);
});

test("tiny chunks are joined, in order", async () => {
	const { request, ended } = reading();
	let text = "";
	for (let chunk = 0; chunk < 3000; chunk++) {
		text += `${chunk} `;
		request.write(`${chunk} `);
	}
	request.write("x".repeat(5000));
	request.end("end");
	const { body, parts } = await ended;
	assert.equal(body.toString(), `${text}${"x".repeat(5000)}end`);
	assert.ok(parts <= 5, `${parts} parts`);
});
