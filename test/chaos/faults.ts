// Does to a loader what a plan says.
import { setTimeout as sleep } from "node:timers/promises";
import type { Loader } from "../support/loader.ts";
import { poll } from "../support/poll.ts";
import { isWatchdog } from "../support/processes.ts";
import type { Disk } from "./disk.ts";
import type { Harm, Harms } from "./harm.ts";
import { replace, type Subject } from "./languages.ts";
import type { Fault } from "./plan.ts";
import { addressSpaceOf, childrenOf, limit, missingLimits, signal, stateOf } from "./processes.ts";

/** How much a starved worker may still allocate, in bytes. */
const CRUMB_BYTES = 64 * 1024;
/**
 * How long a fault may act after it has ended, in ms: a worker may have failed already and not
 * answered yet.
 */
const AFTERMATH_MS = 1000;

export class Faults {
	/** faults that this machine does not allow, with the reason */
	readonly skipped = new Set<string>();
	readonly #loader: Loader;
	readonly #subject: Subject;
	readonly #disk: Disk;
	readonly #harms: Harms;
	readonly #frozen = new Set<number>();

	constructor(loader: Loader, subject: Subject, disk: Disk, harms: Harms) {
		this.#loader = loader;
		this.#subject = subject;
		this.#disk = disk;
		this.#harms = harms;
	}

	/** Resolves when the fault is over. @param which selects the process */
	async run(fault: Fault, which: number): Promise<void> {
		if (fault.what === "swap") return replace(this.#subject, fault.to, fault.way);
		if (fault.what === "fill") return this.#fill(fault.ms);
		const children = childrenOf(this.#loader.child.pid as number);
		const pid = children[which % children.length];
		if (pid === undefined) return;
		if (fault.what === "kill") await this.#kill(pid);
		else if (fault.what === "freeze") await this.#freeze(pid, fault.ms);
		else if (fault.what === "starve") await this.#limit(pid, "as", addressSpaceOf(pid) + CRUMB_BYTES, fault.ms);
		else await this.#limit(pid, "nofile", 3, fault.ms);
	}

	async #kill(pid: number): Promise<void> {
		const harm = this.#harms.begin("death");
		// A command may have ended by itself; the end of the watchdog is not logged.
		const isLogged = this.#subject.speaks !== "command" && !isWatchdog(pid);
		signal(pid, "SIGKILL");
		await this.#gone(pid, isLogged, harm);
	}

	/** The loader kills a worker whose call takes too long. */
	async #freeze(pid: number, ms: number | undefined): Promise<void> {
		signal(pid, "SIGSTOP");
		const harm = this.#harms.begin("death");
		if (ms === undefined) return void this.#frozen.add(pid);
		await sleep(ms);
		signal(pid, "SIGCONT");
		harm.to = performance.now() + AFTERMATH_MS;
	}

	/** Ends the faults that have no end of their own. */
	thaw(): void {
		for (const pid of this.#frozen) signal(pid, "SIGCONT");
		this.#frozen.clear();
	}

	async #limit(pid: number, resource: "as" | "nofile", value: number, ms: number): Promise<void> {
		const missing = missingLimits();
		if (missing !== undefined) return void this.skipped.add(`${resource}: ${missing}`);
		const harms = [this.#harms.begin("shortage"), this.#harms.begin("death")];
		limit(pid, resource, value);
		await sleep(ms);
		limit(pid, resource, resource === "as" ? "unlimited" : 1024);
		for (const harm of harms) harm.to = performance.now() + AFTERMATH_MS;
	}

	async #fill(ms: number): Promise<void> {
		if (this.#disk.missing !== undefined) return void this.skipped.add(`fill: ${this.#disk.missing}`);
		const harms = [this.#harms.begin("shortage"), this.#harms.begin("death")];
		this.#disk.fill();
		await sleep(ms);
		this.#disk.empty();
		for (const harm of harms) harm.to = performance.now() + AFTERMATH_MS;
	}

	/**
	 * Resolves when the process has ended and the loader has logged that, if it logs it for this
	 * process.
	 */
	async #gone(pid: number, isLogged: boolean, harm: Harm): Promise<void> {
		const known = () =>
			!isLogged ||
			this.#loader.over ||
			this.#loader.records.some((record) => record["pid"] === pid && /^worker exited/.test(record.msg ?? ""));
		await poll(
			() => (stateOf(pid) === undefined && known()) || undefined,
			() => `process ${pid} has not ended`,
		);
		harm.to = performance.now() + AFTERMATH_MS;
	}
}
