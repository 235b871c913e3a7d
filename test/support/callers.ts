import assert from "node:assert/strict";
import http from "node:http";
import { ask } from "./ask.ts";

/** The outcome of one call. */
interface Seen {
	/** in ms of performance.now() */
	readonly sentAt: number;
	readonly endedAt: number;
	readonly status?: number;
	readonly text?: string;
	readonly error?: Error;
}

/**
 * Callers that send calls until stop(): each sends one call at a time over its own keep-alive
 * connection.
 */
export class Callers {
	readonly #seen: Seen[] = [];
	readonly #callers: Promise<unknown>;
	readonly #agent: http.Agent;
	#stopped = false;

	constructor(port: number, connections = 8) {
		this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
		this.#callers = Promise.all(Array.from({ length: connections }, () => this.#call(port)));
	}

	get count(): number {
		return this.#seen.length;
	}

	/** Resolves when `count` more calls have been answered. */
	async more(calls: number): Promise<void> {
		const enough = this.count + calls;
		while (this.count < enough) await new Promise((resolve) => setTimeout(resolve, 5));
	}

	/** Stops the callers. Returns the calls in the order they were sent. */
	async stop(): Promise<Seen[]> {
		this.#stopped = true;
		await this.#callers;
		this.#agent.destroy();
		return this.#seen.sort((a, b) => a.sentAt - b.sentAt);
	}

	async #call(port: number): Promise<void> {
		while (!this.#stopped) {
			const sentAt = performance.now();
			const end = (outcome: Omit<Seen, "sentAt" | "endedAt">) => this.#seen.push({ sentAt, endedAt: performance.now(), ...outcome });
			await ask(port, { agent: this.#agent }).then(
				({ status, text }) => end({ status, text }),
				(error) => end({ error }),
			);
		}
	}
}

/**
 * Asserts that one of the versions answered each call, and that no call got an older version than a
 * call that ended before it.
 */
export function assertInOrder(calls: readonly Seen[], versions: readonly string[]): void {
	const ended = [...calls].sort((a, b) => a.endedAt - b.endedAt);
	let next = 0;
	let least = 0;
	for (const { sentAt, status, text = "", error } of calls) {
		assert.ifError(error);
		assert.equal(status, 200, text);
		const version = versions.indexOf(text);
		assert.notEqual(version, -1, `an answer is of no version: ${text}`);
		for (; next < ended.length && (ended[next] as Seen).endedAt < sentAt; next++) {
			least = Math.max(least, versions.indexOf((ended[next] as Seen).text ?? ""));
		}
		assert.ok(version >= least, `${versions[version]} answered after ${versions[least]} had`);
	}
}

/** Asserts that this version answered every call sent after a time. */
export function assertOnly(calls: readonly Seen[], since: number, version: string): void {
	const late = calls.filter(({ sentAt }) => sentAt >= since);
	assert.ok(late.length > 0, "calls were made");
	assert.deepEqual(new Set(late.map(({ text }) => text)), new Set([version]));
}
