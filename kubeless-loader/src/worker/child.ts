import type { ChildProcess } from "node:child_process";
import { ranOutOfMemory } from "../memory.ts";
import { CallTable } from "./calls.ts";
import type { AnswerFault, ExitReason, LoadFailure, Worker, WorkerCall, WorkerEvents } from "./contract.ts";
import { type Command, readLines, signalGroup, startGroup, whyNotStarted } from "./group.ts";

/** What holds for a worker whatever it is told. */
export interface WorkerLimits {
	readonly loadTimeoutMs: number;
	/** calls at once, where neither the user nor the worker says */
	readonly concurrency: number;
	/** the user's own word on calls at once */
	readonly concurrencyLimit: number | undefined;
}

/** Calls sent ahead at the most: the wire must have room for them all. */
const MOST_AHEAD = 32;
/** How long a process that was asked to stop may take for it, in `ms`. */
const STOP_GRACE_MS = 2000;
/** Of what a process says while it loads so many `characters` are kept: they may be why it ended. */
const SAID_KEPT = 4000;

type State = "loading" | "open" | "retiring" | "dead";

/** A worker that is one process: its life from the start to the burial. How it is spoken to is for its kind to say. */
export abstract class ChildWorker implements Worker {
	handler = "";
	concurrency = 0;
	ahead = 0;
	doubts = 0;
	used = false;
	/** undefined until it is started */
	protected child: ChildProcess | undefined;
	protected readonly limits: WorkerLimits;
	protected readonly events: WorkerEvents;
	protected calls = new CallTable(0);
	/** calls somebody still waits for */
	protected awaited = 0;
	protected state: State = "loading";
	/** why it ends: the first reason given wins */
	#reason: ExitReason | undefined;
	#why = "";
	#timer: NodeJS.Timeout | undefined;
	/** it has said whether it could load the function */
	#said = false;
	/** what it wrote to standard error before that */
	#words = "";

	constructor(limits: WorkerLimits, events: WorkerEvents) {
		this.limits = limits;
		this.events = events;
		this.#timer = setTimeout(() => {
			events.failed(this, { code: "HANDLER_FAILED_TO_LOAD", message: this.slowToLoad(limits.loadTimeoutMs / 1000) });
			this.kill("load_timeout", "it took too long to load");
		}, limits.loadTimeoutMs);
	}

	abstract send(call: WorkerCall): void;
	abstract resume(call: WorkerCall): void;
	/** Tells the process that nobody waits for this call any more. */
	protected abstract letGo(call: WorkerCall): void;
	/** Tells the process that no call will follow; it holds `awaited` calls still. */
	protected abstract askToFinish(): void;
	/** Asks the process to end: it holds no call any more. */
	protected abstract askToEnd(): void;
	/** Breaks off what is being said to the process, which is about to be ended. */
	protected abstract breakOff(): void;
	/** Reads what the process, which has ended, still had to say; then buries it. */
	protected abstract lastWords(): void;
	/** A sentence for a function that was not loaded after so many seconds. */
	protected abstract slowToLoad(seconds: number): string;

	/** Whether of the calls without an answer only the earliest can have been begun. */
	protected get knowsBegun(): boolean {
		return false;
	}

	recall(): void {}

	get pid(): number | undefined {
		return this.child?.pid;
	}

	get pids(): readonly number[] {
		return this.ended || this.pid === undefined ? [] : [this.pid];
	}

	get inFlight(): number {
		return this.calls.size;
	}

	get open(): boolean {
		return this.state === "open" && this.doubts === 0;
	}

	holds(call: WorkerCall): boolean {
		return this.calls.get(call.id) === call;
	}

	cancel(call: WorkerCall): void {
		if (call.abandoned || !this.holds(call)) return;
		call.abandoned = true;
		this.awaited--;
		this.letGo(call);
		this.#endIfRetired();
	}

	retire(reason: ExitReason): void {
		if (this.state === "dead" || this.state === "retiring") return;
		this.#reason ??= reason;
		this.state = "retiring";
		this.askToFinish();
		this.#endIfRetired();
	}

	kill(reason: ExitReason, why: string): void {
		if (this.state === "dead") return; // its process number may be another's by now
		this.#reason ??= reason;
		if (this.#why === "") this.#why = why;
		this.state = "retiring";
		signalGroup(this.pid, "SIGKILL");
		this.breakOff();
		if (this.child === undefined) this.bury();
	}

	/** Starts the process; to be called once. */
	protected start(command: Command, stdio: ("ignore" | "pipe")[]): ChildProcess {
		const child = startGroup(command, stdio);
		this.child = child;
		child.on("exit", (code, signal) => this.#exited(code, signal));
		child.on("error", (error) => {
			if (child.pid === undefined) this.cannotStart(whyNotStarted(command.command[0] ?? "", error));
		});
		readLines(child.stdout, (text) => this.events.line("stdout", text, undefined));
		readLines(child.stderr, (text) => {
			if (!this.#said) this.#words = `${this.#words}${text}\n`.slice(-SAID_KEPT);
			this.events.line("stderr", text, undefined);
		});
		return child;
	}

	/** There is no process, and `message` says why. */
	protected cannotStart(message: string): void {
		if (this.state === "dead") return;
		this.events.failed(this, { code: "WORKER_NOT_STARTED", message });
		this.#reason ??= "load_failed";
		this.#why = message;
		this.breakOff();
		this.bury();
	}

	/** The process is gone, or was never there. */
	protected get ended(): boolean {
		const { child } = this;
		return child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
	}

	/** Takes a call into the books. */
	protected taken(call: WorkerCall): number {
		this.awaited++;
		return this.calls.add(call);
	}

	/** Takes a call out of the books; its answer may still be to be given. */
	protected released(call: WorkerCall): void {
		this.calls.delete(call);
		if (!call.abandoned) this.awaited--;
	}

	/** A call has ended: there is room for another, or one less to wait for. */
	protected callEnded(): void {
		if (this.state === "retiring") this.#endIfRetired();
		else this.events.room(this);
	}

	/** It has told whether it could load the function. @returns false when it has done so before */
	protected saysOnce(): boolean {
		if (this.#said) return false;
		this.#said = true;
		clearTimeout(this.#timer);
		return true;
	}

	protected loaded(handler: string, own?: number, ahead = 0): void {
		this.handler = handler;
		this.concurrency = Math.min(own ?? this.limits.concurrency, this.limits.concurrencyLimit ?? Number.POSITIVE_INFINITY);
		if (this.state !== "loading") return;
		// Of calls that run side by side nobody knows which were begun.
		if (this.concurrency === 1) this.ahead = Math.min(ahead, MOST_AHEAD);
		this.calls = new CallTable(this.concurrency + this.ahead);
		this.state = "open";
		this.events.ready(this);
	}

	/** It could not load the function, and gets a moment to leave by itself. */
	protected failedToLoad(failure: LoadFailure): void {
		this.#reason ??= "load_failed";
		this.#why = failure.message;
		this.events.failed(this, failure);
		this.#timer = setTimeout(() => this.kill("load_failed", failure.message), STOP_GRACE_MS);
	}

	/** The end of it: the calls without an answer will get none. */
	protected bury(): void {
		if (this.state === "dead") return;
		this.state = "dead";
		clearTimeout(this.#timer);
		const code: AnswerFault = this.#reason === "protocol" ? "WIRE_BROKEN" : "WORKER_DIED";
		const calls = this.calls.inOrder();
		const unbegun = this.knowsBegun && code === "WORKER_DIED" ? calls.splice(1) : [];
		this.calls.clear();
		for (const call of calls) if (!call.abandoned) call.answer.fail(code, this.#why);
		this.events.returned(unbegun.filter((call) => !call.abandoned));
		if (!this.#said && this.#reason !== "load_timeout" && this.#reason !== "load_failed") {
			const message = `the worker was not ready when ${this.#why}`;
			this.events.failed(this, { code: "HANDLER_FAILED_TO_LOAD", message, stack: this.#words.trimEnd() || undefined });
		}
		this.events.gone(this, this.#reason ?? "exit", this.#why);
	}

	/** A retired worker that holds nothing anybody waits for gets a moment to leave by itself. */
	#endIfRetired(): void {
		if (this.state !== "retiring" || this.awaited > 0) return;
		if (this.calls.size > 0) return this.kill("stopped", "it held only calls nobody waited for");
		if (!this.ended) this.askToEnd();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.kill("stopped", "it did not stop when asked"), STOP_GRACE_MS);
	}

	#exited(code: number | null, signal: NodeJS.Signals | null): void {
		this.#reason ??= signal ? "signal" : "exit";
		if (this.#why === "") this.#why = signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
		if (signal === "SIGKILL" && ranOutOfMemory())
			this.#why += ": the container ran out of memory. Raise its limit, or let fewer calls run at once (FUNC_CONCURRENCY)";
		signalGroup(this.pid, "SIGKILL"); // what it started and left behind
		this.lastWords();
	}
}
