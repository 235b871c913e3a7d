// What was called, what came back, and what was executed.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Seen } from "./connection.ts";
import type { Manner, PlannedCall } from "./plan.ts";

/** A call that was sent. Times are in ms of performance.now(). */
export class SentCall {
	readonly call: PlannedCall;
	readonly manner: Manner;
	readonly sentAt = performance.now();
	/** when the whole request was sent; Infinity: never */
	wholeAt = Number.POSITIVE_INFINITY;
	/** the caller leaves before the answer is complete */
	leaves = false;
	endedAt = Number.POSITIVE_INFINITY;
	seen: Seen = "nothing";
	/** the call before it on its connection */
	previous: SentCall | undefined;
	/** an earlier answer announced that the connection ends with it */
	announced = false;
	readonly #ended: () => void;

	constructor(call: PlannedCall, manner: Manner, ended: () => void) {
		this.call = call;
		this.manner = manner;
		this.#ended = ended;
	}

	end(seen: Seen, announced: boolean): void {
		this.seen = seen;
		this.announced = announced;
		this.endedAt = performance.now();
		this.#ended();
	}

	/** True if the call was open in a part of this time. */
	overlaps(from: number, to: number): boolean {
		return this.sentAt <= to && this.endedAt >= from;
	}
}

export class Ledger {
	readonly calls: SentCall[] = [];
	/** callers that found the loader not listening */
	refusals = 0;
	readonly #notes: string;
	#ended = 0;
	#waiting: { readonly count: number; readonly resolve: () => void }[] = [];

	/** @param notes the folder in which functions note executions: a line `ID VERSION` each */
	constructor(notes: string) {
		this.#notes = notes;
	}

	sent(call: PlannedCall, manner: Manner): SentCall {
		const sent = new SentCall(call, manner, () => this.#end());
		this.calls.push(sent);
		return sent;
	}

	refused(): void {
		this.refusals++;
	}

	/** Resolves when this many calls have ended. */
	ended(count: number): Promise<void> {
		if (this.#ended >= count) return Promise.resolve();
		return new Promise((resolve) => void this.#waiting.push({ count, resolve }));
	}

	/** Returns how many calls ended how, such as `{ "200": 70, "502": 3, closed: 1, left: 8 }`. */
	get outcomes(): Record<string, number> {
		const counts: Record<string, number> = {};
		for (const { seen, leaves } of this.calls) {
			const name = leaves ? "left" : typeof seen === "object" ? String(seen.complete ? seen.status : "cut") : seen;
			counts[name] = (counts[name] ?? 0) + 1;
		}
		return counts;
	}

	executions(id: string): number {
		return this.#lines().filter((line) => line.startsWith(`${id} `)).length;
	}

	/** Returns the number of executions by id. */
	allExecutions(): Map<string, number> {
		const counts = new Map<string, number>();
		for (const line of this.#lines()) {
			const [id = ""] = line.split(" ");
			counts.set(id, (counts.get(id) ?? 0) + 1);
		}
		return counts;
	}

	#lines(): string[] {
		const names = readdirSync(this.#notes).filter((name) => !name.startsWith("."));
		const files = names.map((name) => readFileSync(join(this.#notes, name), "utf8"));
		return files.flatMap((text) => text.split("\n").slice(0, -1));
	}

	#end(): void {
		this.#ended++;
		for (const { count, resolve } of this.#waiting) if (this.#ended >= count) resolve();
		this.#waiting = this.#waiting.filter(({ count }) => this.#ended < count);
	}
}
