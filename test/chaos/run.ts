// One run: a loader, its callers, the faults, and the account.
import { setTimeout as sleep } from "node:timers/promises";
import { folder, Loader, type LoaderOptions, startLoader } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { makeCalls } from "./caller.ts";
import { Disk } from "./disk.ts";
import { Faults } from "./faults.ts";
import { Harms } from "./harm.ts";
import { type Finding, judge } from "./judge.ts";
import { replace, type Subject, type Version } from "./languages.ts";
import { findFiles, findOpen, findProcesses, ownDescriptors } from "./leaks.ts";
import { Ledger } from "./ledger.ts";
import type { Plan } from "./plan.ts";

export interface Outcome {
	readonly findings: readonly Finding[];
	/** how many calls ended how (Ledger.outcomes) */
	readonly calls: Readonly<Record<string, number>>;
	/** what was done, and when */
	readonly harms: string;
	/** faults that this machine does not allow, with the reason */
	readonly skipped: readonly string[];
	/** the loader's log, for the explanation of a finding */
	readonly log: string;
}

/** Two signals within a quarter of a second count as one (drain.ts), in ms. */
const SECOND_SIGNAL_MS = 300;
/** SHUTDOWN_TIMEOUT, in seconds: longer than FUNC_TIMEOUT. */
const SHUTDOWN_S = 4;
const RELOADED = "the function changed and was reloaded";

/**
 * Runs a plan on a function. Resolves when the loader has ended and what it left has been counted.
 */
export async function run(subject: Subject, plan: Plan): Promise<Outcome> {
	const clears: (() => void | Promise<void>)[] = [];
	try {
		return await new Run(subject, plan, { after: (clear) => void clears.push(clear) }).toEnd();
	} finally {
		for (const clear of clears.reverse()) await clear();
	}
}

class Run {
	readonly #owner: Owner;
	readonly #options: LoaderOptions;
	readonly #subject: Subject;
	readonly #plan: Plan;
	readonly #harms = new Harms();
	readonly #ledger: Ledger;
	readonly #disk: Disk;
	readonly #loader: Loader;
	readonly #faults: Faults;
	readonly #served = new Map<Version, number>();
	readonly #findings: Finding[] = [];

	constructor(subject: Subject, plan: Plan, owner: Owner) {
		this.#subject = subject;
		this.#plan = plan;
		const notes = folder(owner);
		this.#ledger = new Ledger(notes);
		this.#disk = new Disk(owner);
		replace(subject, "one", "write");
		this.#owner = owner;
		this.#options = {
			volume: subject.volume,
			env: {
				...subject.env,
				...plan.env,
				FAULTS_NOTES: notes,
				TMPDIR: this.#disk.folder,
				FUNC_WATCH: "true",
				FUNC_LOG_LEVEL: "debug",
				FUNC_ACCESS_LOG: "false",
				SHUTDOWN_TIMEOUT: String(SHUTDOWN_S),
			},
		};
		this.#loader = new Loader(owner, this.#options);
		this.#faults = new Faults(this.#loader, subject, this.#disk, this.#harms);
	}

	async toEnd(): Promise<Outcome> {
		const loader = await this.#loader.serving();
		const descriptors = ownDescriptors(loader);
		const callers = Promise.all(this.#plan.callers.map((caller) => makeCalls(caller, loader.port, this.#ledger)));
		const faults = this.#makeFaults(callers);
		if (this.#plan.end === "quiet") {
			await Promise.all([callers, faults]);
			await this.#recovers();
			this.#findings.push(...(await findOpen(loader, descriptors)));
		} else await Promise.race([callers, this.#ledger.ended(this.#plan.endAfter)]);
		await this.#end();
		const { code } = await loader.ended;
		await Promise.all([callers, faults]);
		this.#faults.thaw();
		if (code !== (this.#plan.end === "killed" ? null : 0)) this.#find("wrong", `the loader's exit code is ${code}`);
		const processes = await findProcesses(loader);
		// Only a worker that speaks the wire notices that its loader was killed.
		if (this.#plan.end !== "killed" || this.#subject.speaks === "wire") this.#findings.push(...processes);
		this.#findings.push(...(await findFiles(this.#disk, () => this.#startAgain())));
		this.#findings.push(...judge({ ledger: this.#ledger, harms: this.#harms, served: this.#served }));
		return {
			findings: this.#findings,
			calls: this.#ledger.outcomes,
			harms: String(this.#harms),
			skipped: [...this.#faults.skipped],
			log: `${loader.stderr}\n${loader.records.map((record) => JSON.stringify(record)).join("\n")}`,
		};
	}

	/** Begins each fault when its number of calls have ended. Resolves when all faults are over. */
	async #makeFaults(callers: Promise<unknown>): Promise<void> {
		const running: Promise<void>[] = [];
		for (const { after, fault, which } of this.#plan.faults) {
			await Promise.race([callers, this.#ledger.ended(after)]);
			if (this.#loader.over) break;
			running.push(this.#faults.run(fault, which));
			if (fault.what === "swap" && fault.to === "two") void this.#noteServed("two");
			await this.#isHealthy();
		}
		await Promise.all(running);
	}

	async #noteServed(version: Version): Promise<void> {
		const reloaded = await this.#loader.said(({ msg }) => msg === RELOADED).catch(() => undefined);
		if (reloaded) this.#served.set(version, performance.now());
	}

	async #isHealthy(): Promise<void> {
		const got = await this.#loader.ask("/healthz").catch(() => undefined);
		if (got?.status === 200 || this.#harms.since("stop") < Number.POSITIVE_INFINITY) return;
		this.#find("wrong", `/healthz: ${got?.status ?? "no answer"}`);
	}

	/** After all faults, a new version of the function must be served. */
	async #recovers(): Promise<void> {
		this.#faults.thaw();
		replace(this.#subject, "three", "rename");
		let last = "";
		const serves = async (): Promise<true | undefined> => {
			last = await this.#loader.ask({ body: "c0; answer 1\n" }).then(
				({ status, text }) => `${status} ${text}`,
				({ message }) => message,
			);
			return last === "200 c0; three\n" || undefined;
		};
		await poll(serves, () => "").catch(() => this.#find("unanswered", `does not serve a new version: ${last}`));
	}

	async #end(): Promise<void> {
		const { end } = this.#plan;
		this.#harms.begin("stop");
		if (end === "killed") {
			this.#harms.begin("end");
			this.#harms.begin("kill");
			this.#loader.signal("SIGKILL");
			return;
		}
		this.#loader.signal();
		if (end !== "at once") return;
		await sleep(SECOND_SIGNAL_MS);
		this.#harms.begin("end");
		this.#loader.signal();
	}

	/** With one worker: one that is still loading would be killed at the end. */
	#startAgain(): Promise<Loader> {
		return startLoader(this.#owner, { ...this.#options, env: { ...this.#options.env, FUNC_WORKERS: "1" } });
	}

	#find(kind: Finding["kind"], what: string): void {
		this.#findings.push({ kind, what });
	}
}
