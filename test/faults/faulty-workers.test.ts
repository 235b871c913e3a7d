import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ask } from "../support/ask.ts";
import { folder, type Loader, type LoaderOptions, runLoader, startLoader } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { untilGone } from "../support/processes.ts";

// Each worker that conform finds at fault (test/conformance/faulty), behind a real loader. The first process has the fault, those that
// replace it have none. Whatever it does, each call is answered once, and with nothing but its own answer or an error.

const faulty = join(import.meta.dirname, "../conformance/faulty");
const { faults } = (await import(join(faulty, "faults.mjs"))) as { faults: Record<string, object> };

/** What the function is asked, and what is right for an answer. */
interface Asked {
	readonly handler: string;
	body(call: number): string;
	right(call: number, text: string): boolean;
	/** 200 where it is absent */
	readonly status?: number;
	/** the fault spoils every answer, and the loader cannot know before it has begun */
	readonly cutOff?: boolean;
}
const ECHO: Asked = { handler: "echoes", body: (call) => `call ${call}`, right: (call, text) => text === `call ${call}` };
const STREAM: Asked = {
	handler: "streams",
	body: (call) => `3 ${call} 5`,
	right: (call, text) => text === ["0", "1", "2"].map((digit) => digit.repeat(call)).join(""),
};
const LARGE: Asked = {
	handler: "big",
	body: (call) => String(600_000 + 10 * call),
	right: (call, text) => text === "0123456789".repeat(60_000 + call),
};
const SLEEP: Asked = { handler: "sleeps", body: () => "50", right: (_call, text) => text === "slept" };
const ERROR: Asked = { handler: "raises", body: () => "no", right: (_call, text) => text === "Internal Server Error", status: 500 };
/** The fault is in the answer's own bytes, which nobody but the function knows. */
const echoOr = (wrong: RegExp): Asked => ({ ...ECHO, right: (call, text) => text === `call ${call}` || wrong.test(text) });

/** For what is on the wire the loader ends the worker: 502 for the calls it held. */
const BREAKS = [
	"answers a call that was never sent",
	"answers twice",
	"answers without an id",
	"closes the wire and runs on",
	"ends an answer that it has not begun",
	"exits within a frame",
	"fails after it was ready",
	"gives back a call without withdraw",
	"is ready twice",
	"leaves the type away",
	"leaves when it has answered",
	"mixes its frames",
	"declares a length below 0",
	"declares a length in text",
	"declares a length over 1 GiB",
	"sends an id in text",
	"declares one byte less than it sends",
	"declares one byte more than it sends",
	"sends a head over 1 MiB",
	"sends a status that is no answer",
	"sends a status that is none",
	"sends a type of its own",
	"stops within a frame",
	"writes a line over 1 MiB",
	"writes a line without end",
	"writes bytes that are not UTF-8",
	"writes null",
	"writes what is not JSON",
];
/** The start ends, with one message. */
const REFUSED: Readonly<Record<string, RegExp>> = {
	"answers before it is ready": /wire rule 4\.9/,
	"ends before it is ready": /it ended with exit code 3/,
	"is ready late": /raise FUNC_LOAD_TIMEOUT/,
	"declares a concurrency of 0": /concurrency is 0 \(wire rule 3\.2\)/,
	"declares an ahead that is not a count": /ahead is "some" \(wire rule 3\.2\)/,
	"speaks another version": /speaks wire version 2, this loader 1/,
	"writes a JSON list": /not a JSON object \(wire rule 2\.1\)/,
	"fails and exits with 0": /there is no handler "nosuch"/,
	"fails with a code of its own": /nosuch|OOPS/,
	"fails without a list of handlers": /there is no handler "nosuch"/,
};
/** What is asked of the worker, where it is not an echo: what its fault is about. */
const ASKED: Readonly<Record<string, Asked>> = {
	"begins an answer twice": STREAM,
	"breaks off an answer that has ended": STREAM,
	"ends twice": STREAM,
	"holds back a chunk until the next": STREAM,
	"sends a chunk before the head": STREAM,
	"sends a whole answer after its beginning": STREAM,
	"ignores pause": LARGE,
	"ignores resume": LARGE,
	"sends large results whole": LARGE,
	"sends less than it declared": { ...LARGE, cutOff: true },
	"sends more than it declared": { ...LARGE, cutOff: true },
	"dies of an error": ERROR,
	"sends an error with a code of its own": ERROR,
	"sends an error without a message": ERROR,
	"answers once more after stop": SLEEP,
	"answers twice what is cancelled": SLEEP,
	"does not answer what is cancelled": SLEEP,
	"drops its calls after stop": SLEEP,
	"lets a child hold the wire": echoOr(/^\d+$/),
	"loads its handler for each call": echoOr(/^1$/),
	"stops within a frame": echoOr(/^ciao/),
	"fails and exits with 0": { ...ECHO, handler: "nosuch" },
	"fails with a code of its own": { ...ECHO, handler: "nosuch" },
	"fails without a list of handlers": { ...ECHO, handler: "nosuch" },
};

describe("a real loader, in front of a worker that", { concurrency: 3 }, () => {
	for (const fault of Object.keys(faults)) {
		const asked = ASKED[fault] ?? ECHO;
		const refused = REFUSED[fault];
		if (refused) {
			test(`${fault}, does not start, says why in one message, and leaves nothing behind`, async (t) => {
				const { code, stderr, marker } = await runLoader(t, workerWith(t, fault, asked));
				assert.equal(code, 1, stderr);
				assert.match(stderr, refused);
				assert.equal(stderr.match(/^kubeless-loader: /gm)?.length, 1, stderr);
				await untilGone(marker);
			});
			continue;
		}
		test(`${fault}, answers each call once, serves on${BREAKS.includes(fault) ? " with another worker" : ""}, and stops`, async (t) => {
			const loader = await startLoader(t, workerWith(t, fault, asked));
			const errors = await callAll(loader, asked);
			const figures = await loader.figures();
			assert.equal(figures.inFlight, 0);
			if (BREAKS.includes(fault)) {
				assert.equal(figures.exits("protocol") + figures.exits("exit"), 1, figures.brief);
				for (const status of errors) assert.equal(status, 502);
			}
			assert.deepEqual(await loader.stop(), { code: 0, signal: null });
			await untilGone(loader.marker);
		});
	}
});

function workerWith(owner: Owner, fault: string, { handler }: Asked): LoaderOptions {
	const manifest = { id: "faulty", suffixes: [".mjs"], concurrency: "async", worker: ["node", join(faulty, "worker.mjs"), fault] };
	const place = folder(owner, { "runtime.json": JSON.stringify(manifest) });
	return {
		volume: join(faulty, "examples"),
		env: {
			KUBELESS_RUNTIME_MANIFEST: join(place, "runtime.json"),
			FAULT_ONCE: join(place, "spent"),
			MOD_NAME: "conformance",
			FUNC_HANDLER: handler,
			FUNC_TIMEOUT: "1",
			FUNC_LOAD_TIMEOUT: "3",
			SHUTDOWN_TIMEOUT: "3",
		},
	};
}

/** Calls side by side, in three rounds, with one caller that leaves. @returns the statuses of answers that were errors */
async function callAll(loader: Loader, asked: Asked): Promise<number[]> {
	const errors: number[] = [];
	for (let round = 0; round < 3; round++) {
		const gone = new AbortController();
		const left = ask(loader.port, { body: asked.body(9), signal: gone.signal }).catch(() => {});
		const calls = [1, 2, 3, 4].map(async (call) => {
			const got = await loader.ask({ body: asked.body(call) }).catch((error: Error) => error);
			if (got instanceof Error) return errors.push(0); // cut off
			if (got.status === (asked.status ?? 200))
				assert.ok(asked.right(call, got.text), `call ${call} is answered ${got.text.slice(0, 200)}`);
			else errors.push(got.status);
		});
		setTimeout(() => gone.abort(), 20);
		await Promise.all([left, ...calls]);
		assert.equal((await loader.ask("/healthz")).text, "OK");
	}
	if (asked.cutOff) {
		await assert.rejects(loader.ask({ body: asked.body(5) }));
		return errors;
	}
	const last = await loader.ask({ body: asked.body(5) });
	assert.equal(last.status, asked.status ?? 200);
	assert.ok(asked.right(5, last.text), last.text.slice(0, 200));
	return errors;
}
