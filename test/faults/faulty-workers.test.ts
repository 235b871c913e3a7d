import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ask } from "../support/ask.ts";
import type { Figures } from "../support/figures.ts";
import { folder, type Loader, type LoaderOptions, runLoader, startLoader } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { untilGone } from "../support/processes.ts";

// Runs each faulty worker of test/conformance/faulty behind a real loader. Only the first process
// has the fault; its replacements work. Each call must be answered once, with its own answer or
// with an error.

const faulty = join(import.meta.dirname, "../conformance/faulty");
const { faults } = (await import(join(faulty, "faults.mjs"))) as { faults: Record<string, object> };

/** The calls of a test, and the check of their answers. */
interface Asked {
	readonly handler: string;
	body(call: number): string;
	right(call: number, text: string): boolean;
	/** the expected status; default 200 */
	readonly status?: number;
	/** true: the fault cuts every answer, because the loader detects it only after the head is sent */
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
/** Accepts the wrong answer too: the fault is in the body, which the loader cannot check. */
const echoOr = (wrong: RegExp): Asked => ({ ...ECHO, right: (call, text) => text === `call ${call}` || wrong.test(text) });

/** Faults on the wire: the loader ends the worker and answers its calls 502. */
const BREAKS = [
	"answers a call that was never sent",
	"answers twice",
	"answers without an id",
	"closes the wire and keeps running",
	"sends an end without a head",
	"exits within a frame",
	"sends failed after ready",
	"gives back a call that is not ahead",
	"sends ready twice",
	"sends a frame without a type",
	"exits after an answer",
	"mixes its frames",
	"declares a negative length",
	"sends a length as text",
	"declares a length over 1 GiB",
	"sends an id as text",
	"declares one byte less than it sends",
	"declares one byte more than it sends",
	"sends an interim status",
	"sends an invalid status",
	"sends a frame of an unknown type",
	"stops within a frame",
	"writes a line over 1 MiB",
	"writes a line without end",
	"writes bytes that are not UTF-8",
	"writes null",
	"writes a line that is not JSON",
];
/** Faults that end the start, and the loader's message. */
const REFUSED: Readonly<Record<string, RegExp>> = {
	"answers before it is ready": /wire rule 4\.9/,
	"exits before it is ready": /it ended with exit code 3/,
	"sends ready late": /raise FUNC_LOAD_TIMEOUT/,
	"states a concurrency of 0": /concurrency is 0 \(wire rule 3\.2\)/,
	"states an ahead that is not a count": /ahead is "some" \(wire rule 3\.2\)/,
	"speaks another version": /speaks wire version 2, this loader 1/,
	"writes a JSON list": /not a JSON object \(wire rule 2\.1\)/,
	"fails and exits with 0": /there is no handler "nosuch"/,
	"fails with an unknown code": /nosuch|OOPS/,
	"fails without a list of handlers": /there is no handler "nosuch"/,
};
/** The calls for faults that an echo does not trigger. */
const ASKED: Readonly<Record<string, Asked>> = {
	"begins an answer twice": STREAM,
	"sends an error after the end of an answer": STREAM,
	"ends twice": STREAM,
	"holds a chunk back until the next one": STREAM,
	"sends a chunk before the head": STREAM,
	"sends a result after a head": STREAM,
	"ignores pause": LARGE,
	"ignores resume": LARGE,
	"sends large results whole": LARGE,
	"sends less than its Content-Length": { ...LARGE, cutOff: true },
	// The bytes that the Content-Length counts are the answer; what follows them is not sent.
	"sends more than its Content-Length": LARGE,
	"exits at a handler's error": ERROR,
	"sends an error with an unknown code": ERROR,
	"sends an error without a message": ERROR,
	// The headers are the function's: each call fails alone.
	"sends a head over 1 MiB": { ...ECHO, status: 500, right: (_call, text) => text === "Internal Server Error" },
	"answers a call again after stop": SLEEP,
	"answers a cancelled call twice": SLEEP,
	"does not answer a cancelled call": SLEEP,
	"drops its calls when it gets stop": SLEEP,
	"lets a child hold the wire": echoOr(/^\d+$/),
	"loads its handler for each call": echoOr(/^1$/),
	"stops within a frame": echoOr(/^ciao/),
	"fails and exits with 0": { ...ECHO, handler: "nosuch" },
	"fails with an unknown code": { ...ECHO, handler: "nosuch" },
	"fails without a list of handlers": { ...ECHO, handler: "nosuch" },
};

describe("a loader with a faulty worker", { concurrency: 3 }, () => {
	for (const fault of Object.keys(faults)) {
		const asked = ASKED[fault] ?? ECHO;
		const refused = REFUSED[fault];
		if (refused) {
			test(`a loader whose worker ${fault} exits with one message, and no process is left`, async (t) => {
				const { code, stderr, marker } = await runLoader(t, workerWith(t, fault, asked));
				assert.equal(code, 1, stderr);
				assert.match(stderr, refused);
				assert.equal(stderr.match(/^kubeless-loader: /gm)?.length, 1, stderr);
				await untilGone(marker);
			});
			continue;
		}
		test(`a loader whose worker ${fault} answers each call once, continues${BREAKS.includes(fault) ? " with another worker" : ""}, and stops`, async (t) => {
			const loader = await startLoader(t, workerWith(t, fault, asked));
			const errors = await callAll(loader, asked);
			await loader.figuresWhen("no call", ({ inFlight }) => inFlight === 0);
			if (BREAKS.includes(fault)) {
				const exits = (figures: Figures): number => figures.exits("protocol") + figures.exits("exit");
				// A call ends before its worker's process does.
				const figures = await loader.figuresWhen("the end of the worker", (one) => exits(one) > 0);
				assert.equal(exits(figures), 1, figures.brief);
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
			FUNC_LOAD_TIMEOUT: fault === "sends ready late" ? "3" : "60",
			SHUTDOWN_TIMEOUT: "3",
		},
	};
}

/**
 * Sends three rounds of concurrent calls, each with a caller that disconnects. Returns the statuses
 * of failed calls, without those that were refused; 0: the answer was cut.
 */
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
			// A call that waits for the other worker may be refused: it has not run.
			else if (got.headers["kubeless-refused"] === undefined) errors.push(got.status);
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
