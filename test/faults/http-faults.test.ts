import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test, { before, describe } from "node:test";
import { folder, type Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { startServer } from "../support/servers.ts";

/** Returns status and text of an answer, or "broken off" if it was incomplete. */
const outcome = (loader: Loader, path: string, agent?: http.Agent): Promise<string> =>
	loader.ask({ path, ...(agent && { agent }) }).then(
		({ status, text }) => `${status} ${text}`,
		() => "broken off",
	);
const BAD_ANSWER = "502 Bad Gateway: the function's server gave no whole answer";

describe("a server that breaks HTTP", () => {
	const owner = suiteOwner();
	const requests = join(folder(owner, { requests: "" }), "requests");
	const asked = (path: string) =>
		readFileSync(requests, "utf8")
			.split("\n")
			.filter((line) => line === path).length;
	let loader: Loader;
	before(async () => {
		loader = await startServer(owner, { server: "raw.mjs", env: { REQUESTS: requests, FUNC_TIMEOUT: "3" } });
	});

	for (const [path, expected] of [
		["/close-at-once", BAD_ANSWER],
		["/reset", BAD_ANSWER],
		["/garbage", BAD_ANSWER],
		["/half-head", BAD_ANSWER],
		["/two-lengths", BAD_ANSWER],
		["/long-head", BAD_ANSWER],
		["/unasked-upgrade", BAD_ANSWER],
		["/short", "broken off"],
		["/cut-chunks", "broken off"],
		["/cut-chunks-close", "broken off"],
		["/bad-chunk", "broken off"],
		["/short-then-silence", "broken off"],
		["/hang", "408 Request Timeout: the function did not answer in time"],
		["/until-close", "200 until the end"],
		["/dribble", "200 dribbled all"],
		["/interim", "200 ok"],
		["/no-content", "204 "],
	] as const) {
		test(`a server that breaks HTTP (${path}) gets the call once, the caller gets ${JSON.stringify(expected)}, and the next call is answered`, async () => {
			const before = asked(path);
			const got = await outcome(loader, path);
			// If the fault arrives together with the head, the loader may detect it before it forwards the
			// head.
			assert.ok(got === expected || (expected === "broken off" && got === BAD_ANSWER), got);
			assert.equal(asked(path) - before, 1);
			assert.equal(await outcome(loader, "/fine"), "200 ok");
		});
	}

	for (const path of ["/twice", "/twice-later", "/close-after"]) {
		test(`a second answer (${path}) reaches no other call, and no call is sent twice`, async () => {
			const agent = new http.Agent({ keepAlive: true });
			const before = asked(path);
			for (let round = 0; round < 10; round++) {
				assert.equal(await outcome(loader, path, agent), "200 ok");
				const others = await Promise.all([1, 2, 3].map(() => outcome(loader, "/fine", agent)));
				for (const other of others) assert.ok(other === "200 ok" || other === BAD_ANSWER, other);
				await new Promise((resolve) => setTimeout(resolve, 30));
			}
			assert.equal(asked(path) - before, 10);
			agent.destroy();
		});
	}

	test("a broken HTTP answer is logged with its cause and counts as failed", async () => {
		const before = (await loader.figures()).of('function_failures_total{method="GET"}');
		await outcome(loader, "/garbage");
		const record = await loader.said(({ code, path }) => code === "ANSWER_BROKEN" && path === "/garbage");
		assert.match(String(record.msg), /^the server gave no whole answer: /);
		assert.equal((await loader.figures()).of('function_failures_total{method="GET"}'), before + 1);
	});
});

test("an answer without a length is broken off if the server is killed while it sends the body", async (t) => {
	const loader = await startServer(t, { server: "raw.mjs" });
	assert.match(await outcome(loader, "/until-death"), /^(broken off|502 .*)$/);
	assert.equal(await outcome(loader, "/fine"), "200 ok");
	assert.equal((await loader.figures()).exits("signal"), 1);
});

test("an answer is broken off if its server exits in the middle, and a new server answers the next call", async (t) => {
	const loader = await startServer(t);
	await assert.rejects(loader.ask("/half"));
	assert.equal((await loader.ask("/x")).text, "hello /x");
});

test("when a server exits, its calls are answered 502 once each, and it is restarted", async (t) => {
	const loader = await startServer(t);
	const held = [1, 2, 3].map(() => loader.ask("/hang"));
	await loader.figuresWhen("three calls", ({ inFlight }) => inFlight === 3);
	const pid = JSON.parse((await loader.ask("/counts")).text).pid;
	const last = await loader.ask("/exit?code=7");
	for (const { status, text } of [...(await Promise.all(held)), last]) {
		assert.deepEqual([status, text], [502, "Bad Gateway: the function's process ended"]);
	}
	await loader.said(({ code, msg }) => code === "WORKER_DIED" && msg === "it ended with exit code 7");
	assert.notEqual(JSON.parse((await loader.ask("/counts")).text).pid, pid);
});

test("a running server that no longer accepts connections is replaced", async (t) => {
	const loader = await startServer(t, { server: "raw.mjs" });
	assert.equal(await outcome(loader, "/deaf"), "200 ok");
	const pid = String((await loader.figures()).sum("function_worker_starts_total"));
	assert.equal(pid, "1");
	// Open connections still work. Concurrent calls force new connections.
	await loader.until("a replacement", () => {
		void Promise.all([1, 2, 3, 4].map(() => outcome(loader, "/fine")));
		return loader.records.find(({ msg }) => msg?.includes("it takes no connections any more"));
	});
	const answers = await Promise.all([1, 2, 3, 4].map(() => outcome(loader, "/fine")));
	assert.deepEqual(new Set(answers), new Set(["200 ok"]));
});

test("connections that a server closes while idle cost no call", async (t) => {
	const loader = await startServer(t, { env: { KEEP_ALIVE_MS: "40" } });
	const agent = new http.Agent({ keepAlive: true });
	for (let round = 0; round < 40; round++) {
		assert.equal((await loader.ask({ path: "/x", method: "POST", body: "x", agent })).status, 200);
		await new Promise((resolve) => setTimeout(resolve, 30 + (round % 20)));
	}
	agent.destroy();
});
