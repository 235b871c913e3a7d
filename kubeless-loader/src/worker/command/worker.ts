// The kind of worker that is a command: each call is a process of its own (run.ts) that reads the
// request body from its standard input and writes the answer to its standard output. cgi.ts has the
// variables and the header block of CGI. This file limits how many run at once.
import type { ExitReason, Intake, Worker, WorkerCall, WorkerEvents } from "../contract.ts";
import { type Command, canStart, whyNotStarted } from "../process/process-group.ts";
import { Run } from "./run.ts";

export const COMMAND_INTAKE: Intake = { body: "streamed", envelopes: "opened", upgrades: false };

/** How to run a command. */
export interface CommandSpec {
	/** processes at once */
	readonly concurrency: number;
	/** what standard output holds: the body alone, or CGI headers and then the body */
	readonly output: "body" | "cgi";
}

export class CommandWorker implements Worker {
	readonly pid = undefined;
	readonly ahead = 0;
	concurrency = 0;
	readonly #command: Command;
	readonly #spec: CommandSpec;
	readonly #events: WorkerEvents;
	readonly #runs = new Set<Run>();
	/** runs of `#runs` whose process is not started yet */
	readonly #unstarted: Run[] = [];
	#turn: NodeJS.Immediate | undefined;
	#lastId = 0;
	#state: "loading" | "open" | "retiring" | "dead" = "loading";
	#reason: ExitReason | undefined;
	#why = "it was not needed any more";

	constructor(command: Command, spec: CommandSpec, events: WorkerEvents) {
		this.#command = command;
		this.#spec = spec;
		this.#events = events;
		setImmediate(() => this.#begin());
	}

	get pids(): readonly number[] {
		return [...this.#runs].flatMap(({ pid }) => pid ?? []);
	}

	get inFlight(): number {
		return this.#runs.size;
	}

	get open(): boolean {
		return this.#state === "open";
	}

	send(call: WorkerCall): Run {
		const run = new Run(this, ++this.#lastId, call, this.#spec.output);
		this.#runs.add(run);
		this.#unstarted.push(run);
		this.#turn ??= setImmediate(this.#startOne);
		return run;
	}

	/** One in a turn of the event loop: a start blocks it for some ms, and probes must not be late. */
	#startOne = (): void => {
		const run = this.#unstarted.shift() as Run;
		this.#turn = this.#unstarted.length > 0 ? setImmediate(this.#startOne) : undefined;
		run.start(
			this.#command,
			(text, cut) => this.#events.line("stderr", text, run.call, cut),
			() => this.#ended(run),
		);
	};

	/** Calls are never sent ahead. */
	recall(): void {}

	retire(reason: ExitReason): void {
		if (this.#state === "dead" || this.#state === "retiring") return;
		this.#reason ??= reason;
		this.#state = "retiring";
		this.#endIfIdle();
	}

	kill(reason: ExitReason, why: string): void {
		if (this.#state === "dead") return;
		this.#reason ??= reason;
		this.#why = why;
		this.#state = "retiring";
		for (const run of this.#runs) run.kill(why);
		this.#endIfIdle();
	}

	#begin(): void {
		if (this.#state !== "loading") return;
		if (!canStart(this.#command)) {
			const [program = ""] = this.#command.command;
			const message = whyNotStarted(program);
			this.#state = "dead";
			this.#events.failed({ code: "WORKER_NOT_STARTED", message });
			return this.#events.gone("load_failed", message);
		}
		this.concurrency = this.#spec.concurrency;
		this.#state = "open";
		this.#events.ready();
	}

	#ended(run: Run): void {
		this.#runs.delete(run);
		if (this.#state === "retiring") this.#endIfIdle();
		else this.#events.room();
	}

	#endIfIdle(): void {
		if (this.#state !== "retiring" || this.#runs.size > 0) return;
		this.#state = "dead";
		this.#events.gone(this.#reason ?? "exit", this.#why);
	}
}
