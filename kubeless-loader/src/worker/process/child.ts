// What the kinds of worker share: process groups, lines of output, the table of held calls, and,
// here, the life of a worker that is one process (wire/ and http/).
import type { ChildProcess } from "node:child_process";
import { ranOutOfMemory } from "../../cgroup.ts";
import type { AnswerFault, ExitReason, LoadFailure, SentCall, Worker, WorkerCall, WorkerEvents } from "../contract.ts";
import { CallTable } from "./call-table.ts";
import { type Command, readLines, signalGroup, startGroup, whyNotStarted } from "./process-group.ts";

/** Limits that hold for every worker of a function. */
export interface WorkerLimits {
	readonly loadTimeoutMs: number;
	/** calls at once, if neither the user nor the worker states a number */
	readonly concurrency: number;
	/** calls at once, as the user limits them */
	readonly maxConcurrency: number | undefined;
}

/** A call in the table of a worker that is one process. */
export interface HeldCall extends SentCall {
	id: number;
	readonly call: WorkerCall;
	cancelled: boolean;
}

/** The wire must have room for all calls that are sent ahead. */
const MAX_AHEAD = 32;
/** How long a process may take to end after `stop` or SIGTERM, in ms. */
const STOP_GRACE_MS = 2000;
/** Characters of a loading process's stderr that are kept: they may explain why it ended. */
const MAX_STDERR_TAIL = 4000;

type State = "loading" | "open" | "retiring" | "dead";

/**
 * A worker that is one process, from its start to its end. The subclass knows how to talk to it.
 */
export abstract class ChildWorker<Held extends HeldCall> implements Worker {
	concurrency = 0;
	ahead = 0;
	/** undefined until the process is started */
	protected child: ChildProcess | undefined;
	protected readonly limits: WorkerLimits;
	protected readonly events: WorkerEvents;
	protected calls = new CallTable<Held>(0);
	protected state: State = "loading";
	/** held calls that are not cancelled */
	#awaited = 0;
	/** why it ends: the first reason given is kept */
	#reason: ExitReason | undefined;
	#why = "";
	#timer: NodeJS.Timeout | undefined;
	/** the process has reported `ready` or `failed` */
	#reported = false;
	/** the end of what it wrote to stderr before that */
	#stderrTail = "";

	constructor(limits: WorkerLimits, events: WorkerEvents) {
		this.limits = limits;
		this.events = events;
		this.#timer = setTimeout(() => {
			events.failed({ code: "HANDLER_FAILED_TO_LOAD", message: this.loadTimeoutMessage(limits.loadTimeoutMs / 1000) });
			this.kill("load_timeout", "it took too long to load");
		}, limits.loadTimeoutMs);
	}

	abstract send(call: WorkerCall): Held;
	/** Notifies the process that this call was cancelled. */
	protected abstract sendCancel(held: Held): void;
	/** Notifies the process that no call will follow; it may still hold some. */
	protected abstract sendStop(): void;
	/** Makes the process end by itself: it holds no calls any more. */
	protected abstract requestExit(): void;
	/** Closes the connection to the process, which is about to be killed. */
	protected abstract disconnect(): void;
	/** Reads what the ended process had sent before its end; then calls `onGone`. */
	protected abstract readRemaining(): void;
	/** Returns a sentence for a function that was not loaded within `seconds`. */
	protected abstract loadTimeoutMessage(seconds: number): string;

	/** True if at most the earliest of the unanswered calls can have been begun. */
	protected get onlyFirstBegun(): boolean {
		return false;
	}

	/** True while something other than calls needs the process. */
	protected get occupied(): boolean {
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
		return this.state === "open";
	}

	holds(held: Held): boolean {
		return this.calls.has(held);
	}

	cancel(held: Held): void {
		if (held.cancelled || !this.holds(held)) return;
		held.cancelled = true;
		this.#awaited--;
		this.sendCancel(held);
		this.#endIfRetired();
	}

	retire(reason: ExitReason): void {
		if (this.state === "dead" || this.state === "retiring") return;
		this.#reason ??= reason;
		this.state = "retiring";
		this.sendStop();
		this.#endIfRetired();
	}

	kill(reason: ExitReason, why: string): void {
		if (this.state === "dead") return; // its process id may belong to another process by now
		this.#reason ??= reason;
		if (this.#why === "") this.#why = why;
		this.state = "retiring";
		signalGroup(this.pid, "SIGKILL");
		this.disconnect();
		if (this.child === undefined) this.onGone();
	}

	/** Starts the process; called once. */
	protected start(command: Command, stdio: ("ignore" | "pipe")[]): ChildProcess {
		const child = startGroup(command, stdio);
		this.child = child;
		child.on("exit", (code, signal) => this.#exited(code, signal));
		child.on("error", (error) => {
			if (child.pid === undefined) this.cannotStart(whyNotStarted(command.command[0] ?? "", error));
		});
		readLines(child.stdout, (text, cut) => this.events.line("stdout", text, undefined, cut));
		readLines(child.stderr, (text, cut) => {
			if (!this.#reported) this.#stderrTail = `${this.#stderrTail}${text}\n`.slice(-MAX_STDERR_TAIL);
			this.events.line("stderr", text, undefined, cut);
		});
		return child;
	}

	/** Ends the worker: there is no process, for the reason in `message`. */
	protected cannotStart(message: string): void {
		if (this.state === "dead") return;
		this.events.failed({ code: "WORKER_NOT_STARTED", message });
		this.#reason ??= "load_failed";
		this.#why = message;
		this.disconnect();
		this.onGone();
	}

	/** True if no process runs: it has ended or was never started. */
	protected get ended(): boolean {
		const { child } = this;
		return child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
	}

	/** True while a call without an answer is awaited by its caller. */
	protected get isAwaited(): boolean {
		return this.#awaited > 0;
	}

	/** Adds a call to the table, which gives it its id. */
	protected add(held: Held): void {
		this.#awaited++;
		this.calls.add(held);
	}

	/** Removes a call from the table; its answer may still have to be passed on. */
	protected remove(held: Held): void {
		this.calls.delete(held);
		if (!held.cancelled) this.#awaited--;
	}

	/** To be called after a call has ended. */
	protected callEnded(): void {
		if (this.state === "retiring") this.#endIfRetired();
		else this.events.room();
	}

	/**
	 * Notes that the process has reported whether it loaded the function. Returns false if it had done
	 * so before.
	 */
	protected reportedOnce(): boolean {
		if (this.#reported) return false;
		this.#reported = true;
		clearTimeout(this.#timer);
		return true;
	}

	/** @param own the number of calls at once that the worker states */
	protected loaded(own?: number, ahead = 0): void {
		this.concurrency = Math.min(own ?? this.limits.concurrency, this.limits.maxConcurrency ?? Number.POSITIVE_INFINITY);
		if (this.state !== "loading") return;
		// If calls run side by side, it is not known which of them were begun.
		if (this.concurrency === 1) this.ahead = Math.min(ahead, MAX_AHEAD);
		this.calls = new CallTable(this.concurrency + this.ahead);
		this.state = "open";
		this.events.ready();
	}

	/** Reports that the function could not be loaded; the process gets a moment to exit by itself. */
	protected failedToLoad(failure: LoadFailure): void {
		this.#reason ??= "load_failed";
		this.#why = failure.message;
		this.events.failed(failure);
		this.#timer = setTimeout(() => this.kill("load_failed", failure.message), STOP_GRACE_MS);
	}

	/** Called once when the process is gone: fails every unanswered call. */
	protected onGone(): void {
		if (this.state === "dead") return;
		this.state = "dead";
		clearTimeout(this.#timer);
		const code: AnswerFault = this.#reason === "protocol" ? "WIRE_BROKEN" : "WORKER_DIED";
		const calls = this.calls.inOrder();
		const unbegun = this.onlyFirstBegun && code === "WORKER_DIED" ? calls.splice(1) : [];
		this.calls.clear();
		for (const { call, cancelled } of calls) if (!cancelled) call.answer.fail(code, this.#why);
		this.events.returned(unbegun.filter(({ cancelled }) => !cancelled).map(({ call }) => call));
		if (!this.#reported && this.#reason !== "load_timeout" && this.#reason !== "load_failed") {
			const message = `the worker was not ready when ${this.#why}`;
			this.events.failed({ code: "HANDLER_FAILED_TO_LOAD", message, stack: this.#stderrTail.trimEnd() || undefined });
		}
		this.events.gone(this.#reason ?? "exit", this.#why);
	}

	/**
	 * A retired worker whose remaining calls are all cancelled is killed; one without calls may exit
	 * by itself.
	 */
	#endIfRetired(): void {
		if (this.state !== "retiring" || this.#awaited > 0 || this.occupied) return;
		if (this.calls.size > 0) return this.kill("stopped", "killed after all its calls were cancelled");
		if (!this.ended) this.requestExit();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.kill("stopped", "it did not stop when asked"), STOP_GRACE_MS);
	}

	#exited(code: number | null, signal: NodeJS.Signals | null): void {
		this.#reason ??= signal ? "signal" : "exit";
		if (this.#why === "") this.#why = signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
		if (signal === "SIGKILL" && ranOutOfMemory())
			this.#why += ": the container ran out of memory. Raise its limit, or let fewer calls run at once (FUNC_CONCURRENCY)";
		signalGroup(this.pid, "SIGKILL"); // processes that it started and left behind
		this.readRemaining();
	}
}
