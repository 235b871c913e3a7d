import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { folder } from "../support/loader.ts";
import { Random } from "../support/random.ts";
import type { Seen } from "./connection.ts";
import { Harms } from "./harm.ts";
import { judge, type Kind } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { type Action, planOf } from "./plan.ts";
import { Responses } from "./responses.ts";

const answer = (status: number, body: string, headers: Record<string, string> = {}, complete = true): Seen => ({
	status,
	body,
	headers: new Map(Object.entries(headers)),
	complete,
});
const refusal = answer(503, "", { "kubeless-refused": "OVERLOADED" });

/** [what happened, action, executions, what came, the kinds of finding] */
const CASES: readonly [string, Action, number, Seen, readonly Kind[]][] = [
	["an answer of its one execution", "answer", 1, answer(200, "c1; one\n"), []],
	["an answer without execution", "answer", 0, answer(200, "c1; one\n"), ["lost"]],
	["an error of the function without execution", "raise", 0, answer(500, ""), ["lost"]],
	["two executions", "answer", 2, answer(200, "c1; one\n"), ["twice"]],
	["the answer of another call", "answer", 1, answer(200, "c2; one\n"), ["crossed"]],
	["the id of another call in a header", "answer", 1, answer(200, "c1; one\n", { x: "c2;" }), ["crossed"]],
	["another body", "answer", 1, answer(200, "c1; one"), ["wrong"]],
	["an answer after an error", "raise", 1, answer(200, "c1; one\n"), ["wrong"]],
	["an error without reason", "answer", 1, answer(502, ""), ["wrong"]],
	["an early time limit", "answer", 1, answer(408, ""), ["wrong"]],
	["a refusal", "answer", 0, refusal, []],
	["a refusal and an execution", "answer", 1, refusal, ["wrong"]],
	["a part of an answer", "answer", 1, answer(200, "c1;", {}, false), ["unanswered"]],
	["a connection that was closed", "answer", 0, "closed", ["unanswered"]],
	["no answer", "answer", 0, "nothing", ["unanswered"]],
	["the death of its worker by itself", "die", 1, answer(502, ""), []],
];

describe("the account of a run under faults", () => {
	for (const [what, action, executions, seen, kinds] of CASES) {
		test(`${what} counts as ${kinds.join(" and ") || "correct"}`, (t) => {
			const notes = folder(t);
			const ledger = new Ledger(notes);
			const sent = ledger.sent({ id: "c1;", action, number: 1, length: 0, gzip: false, random: new Random(1) }, "keep-alive");
			sent.wholeAt = sent.sentAt;
			appendFileSync(join(notes, "1"), "c1; one\n".repeat(executions));
			sent.end(seen, false);
			const found = judge({ ledger, harms: new Harms(), served: new Map() });
			assert.deepEqual(
				found.map(({ kind }) => kind),
				kinds,
			);
		});
	}

	test("the death of a worker explains a status of 502, and no other call's", (t) => {
		const ledger = new Ledger(folder(t));
		const harms = new Harms();
		const call = { id: "c1;", action: "answer", number: 1, length: 0, gzip: false, random: new Random(1) } as const;
		const before = ledger.sent(call, "keep-alive");
		before.end(answer(502, ""), false);
		harms.all.push({ kind: "death", from: before.endedAt + 1, to: Number.POSITIVE_INFINITY });
		const during = ledger.sent({ ...call, id: "c2;" }, "keep-alive");
		during.endedAt = before.endedAt + 2;
		during.seen = answer(502, "");
		const found = judge({ ledger, harms, served: new Map() });
		assert.deepEqual(
			found.map(({ what }) => what.slice(0, 3)),
			["c1;"],
		);
	});

	test("an answer of an earlier version counts as wrong after a later one served", (t) => {
		const notes = folder(t);
		const ledger = new Ledger(notes);
		appendFileSync(join(notes, "1"), "c1; one\n");
		const sent = ledger.sent({ id: "c1;", action: "answer", number: 1, length: 0, gzip: false, random: new Random(1) }, "keep-alive");
		sent.end(answer(200, "c1; one\n"), false);
		const found = judge({ ledger, harms: new Harms(), served: new Map([["two", sent.sentAt - 1]]) });
		assert.deepEqual(
			found.map(({ kind }) => kind),
			["wrong"],
		);
	});
});

test("the plan of a run under faults follows from its seed", () => {
	assert.deepEqual(planOf(7), planOf(7));
	assert.notDeepEqual(planOf(7), planOf(8));
	const faults = new Set(Array.from({ length: 8 }, (_, seed) => planOf(seed + 1).faults.map(({ fault }) => fault.what)).flat());
	assert.deepEqual([...faults].sort(), ["exhaust", "fill", "freeze", "kill", "starve", "swap"]);
});

test("answers of a connection are read however their bytes are split", () => {
	const bytes = [
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none",
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n1\r\n!\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nrest",
	].join("");
	for (let seed = 0; seed < 50; seed++) {
		const responses = new Responses();
		for (const piece of new Random(seed).split(Buffer.from(bytes))) responses.push(piece);
		const seen = [responses.shift(), responses.shift(), responses.shift(), responses.shift(), responses.end(true)];
		assert.deepEqual(
			seen.map((one) => one && [one.status, one.body, one.complete]),
			[[200, "one", true], [503, "", true], [200, "two!", true], undefined, [200, "rest", true]],
		);
	}
});
