import type { ChildProcess } from "node:child_process";
import { cgiVariables, readCgiHead } from "./cgi.ts";
import type { ExitReason, Worker, WorkerCall, WorkerEvents } from "./contract.ts";
import { type Command, canStart, readLines, signalGroup, startGroup, whyNotStarted } from "./group.ts";

/** What a command is to be run as. */
export interface StdioSpec {
	/** processes at once */
	readonly concurrency: number;
	/** what standard output holds: the body alone, or CGI headers before it */
	readonly output: "body" | "cgi";
}

/** `bytes` of an answer that are held back until the exit code is known: what is streamed cannot become a 500. */
const HELD_ANSWER = 64 * 1024;
/** Headers over so many `bytes` are none. */
const LONGEST_HEAD = 64 * 1024;
/** A command that has ended may have left behind who holds its output: how long to wait for more of it, in `ms`. */
const LAST_WORDS_MS = 100;
const TEXT = ["Content-Type", "text/plain; charset=utf-8"];

/** A worker that is a command: each call is a process of its own, the body its input, its output the answer. */
export class StdioWorker implements Worker {
	readonly handler = "";
	readonly ahead = 0;
	concurrency = 0;
	doubts = 0;
	used = false;
	readonly pid = undefined;
	readonly #command: Command;
	readonly #spec: StdioSpec;
	readonly #events: WorkerEvents;
	readonly #runs = new Map<WorkerCall, Run>();
	#lastId = 0;
	#state: "loading" | "open" | "retiring" | "dead" = "loading";
	#reason: ExitReason | undefined;
	#why = "it was not needed any more";

	constructor(command: Command, spec: StdioSpec, events: WorkerEvents) {
		this.#command = command;
		this.#spec = spec;
		this.#events = events;
		setImmediate(() => this.#begin());
	}

	get pids(): readonly number[] {
		return [...this.#runs.values()].flatMap(({ pid }) => pid ?? []);
	}

	get inFlight(): number {
		return this.#runs.size;
	}

	get open(): boolean {
		return this.#state === "open" && this.doubts === 0;
	}

	holds(call: WorkerCall): boolean {
		return this.#runs.has(call);
	}

	send(call: WorkerCall): void {
		call.id = ++this.#lastId;
		try {
			this.#runs.set(call, new Run(this.#command, this.#spec.output, call, this.#events, () => this.#ended(call)));
		} catch (cause) {
			// The system refused: the variables are too long, memory is short.
			call.answer.fail("WORKER_DIED", whyNotStarted(this.#command.command[0] ?? "", cause as Error));
		}
	}

	cancel(call: WorkerCall): void {
		if (call.abandoned || !this.holds(call)) return;
		call.abandoned = true;
		this.#runs.get(call)?.kill();
	}

	resume(call: WorkerCall): void {
		call.paused = false;
		this.#runs.get(call)?.resume();
	}

	/** A command holds nothing that it was not given. */
	recall(): void {}

	retire(reason: ExitReason): void {
		if (this.#state === "dead" || this.#state === "retiring") return;
		this.#reason ??= reason;
		this.#state = "retiring";
		this.#buryIfIdle();
	}

	kill(reason: ExitReason, why: string): void {
		if (this.#state === "dead") return;
		this.#reason ??= reason;
		this.#why = why;
		this.#state = "retiring";
		for (const run of this.#runs.values()) run.kill(why);
		this.#buryIfIdle();
	}

	#begin(): void {
		if (this.#state !== "loading") return;
		if (!canStart(this.#command)) {
			const [program = ""] = this.#command.command;
			const message = whyNotStarted(program);
			this.#state = "dead";
			this.#events.failed(this, { code: "WORKER_NOT_STARTED", message });
			return this.#events.gone(this, "load_failed", message);
		}
		this.concurrency = this.#spec.concurrency;
		this.#state = "open";
		this.#events.ready(this);
	}

	#ended(call: WorkerCall): void {
		this.#runs.delete(call);
		if (this.#state === "retiring") this.#buryIfIdle();
		else this.#events.room(this);
	}

	#buryIfIdle(): void {
		if (this.#state !== "retiring" || this.#runs.size > 0) return;
		this.#state = "dead";
		this.#events.gone(this, this.#reason ?? "exit", this.#why);
	}
}

/** One process, for one call. */
class Run {
	readonly #child: ChildProcess;
	readonly #call: WorkerCall;
	readonly #cgi: boolean;
	readonly #over: () => void;
	/** what is held back of the answer */
	#held: Buffer[] = [];
	#heldLength = 0;
	/** how it ended: a sentence; empty: as it should */
	#fault: string | undefined;
	#killed = "";
	#exited = false;
	#outputEnded = false;
	#done = false;
	#silence: NodeJS.Timeout | undefined;

	constructor(command: Command, output: "body" | "cgi", call: WorkerCall, events: WorkerEvents, over: () => void) {
		this.#call = call;
		this.#cgi = output === "cgi";
		this.#over = over;
		const env = { ...command.env, ...cgiVariables(call) };
		const child = startGroup({ ...command, env }, ["pipe", "pipe", "pipe"]);
		this.#child = child;
		child.on("error", (error) => {
			if (child.pid === undefined) this.#notStarted(whyNotStarted(command.command[0] ?? "", error));
		});
		child.on("exit", (code, signal) => this.#exit(code, signal));
		readLines(child.stderr, (text) => events.line("stderr", text, call));
		child.stdout?.on("data", (bytes: Buffer) => this.#read(bytes));
		child.stdout?.on("close", () => {
			this.#outputEnded = true;
			this.#conclude();
		});
		child.stdout?.on("error", () => {});
		this.#feed();
	}

	get pid(): number | undefined {
		return this.#child.pid;
	}

	/** Ends the process and all it started. */
	kill(why = ""): void {
		this.#killed ||= why;
		if (!this.#exited) signalGroup(this.pid, "SIGKILL");
		this.#child.stdout?.resume();
	}

	resume(): void {
		this.#child.stdout?.resume();
	}

	#feed(): void {
		const { stdin } = this.#child;
		if (!stdin) return;
		stdin.on("error", () => {}); // a command need not read its input
		const { body, upload } = this.#call;
		if (upload) {
			upload.pipe(stdin);
			// Cut off, not ended: the command must not take half a body for a whole one.
			upload.on("close", () => {
				if (!upload.readableEnded) this.kill();
			});
			stdin.on("close", () => upload.unpipe(stdin));
		} else {
			for (const part of body ?? []) stdin.write(part);
			stdin.end();
		}
	}

	#read(bytes: Buffer): void {
		const call = this.#call;
		if (this.#done || call.abandoned) return;
		if (this.#exited) this.#awaitSilence();
		if (call.begun) return this.#pass(bytes);
		this.#held.push(bytes);
		this.#heldLength += bytes.length;
		if (this.#cgi) this.#readHead();
		else if (this.#heldLength > HELD_ANSWER) this.#begin(200, TEXT, Buffer.concat(this.#held));
	}

	#readHead(): void {
		const bytes = Buffer.concat(this.#held);
		this.#held = [bytes];
		try {
			const found = readCgiHead(bytes);
			if ((found?.bodyStart ?? bytes.length) > LONGEST_HEAD)
				throw new Error(`its output has no empty line, which ends the headers, in the first ${LONGEST_HEAD} bytes`);
			if (found) this.#begin(found.status, found.head, bytes.subarray(found.bodyStart));
		} catch (cause) {
			this.#invalid((cause as Error).message);
		}
	}

	#begin(status: number, head: readonly string[], first: Buffer): void {
		this.#held = [];
		this.#call.begun = true;
		this.#call.answer.head(status, head);
		if (first.length > 0) this.#pass(first);
	}

	#pass(bytes: Buffer): void {
		const call = this.#call;
		if (call.answer.chunk(bytes)) return;
		call.paused = true;
		this.#child.stdout?.pause();
	}

	#exit(code: number | null, signal: NodeJS.Signals | null): void {
		this.#exited = true;
		signalGroup(this.pid, "SIGKILL"); // what it started and left behind
		if (signal) this.#fault = this.#killed || `the command was ended by ${signal}`;
		else if (code !== 0) this.#fault = `the command ended with exit code ${code}`;
		this.#awaitSilence();
		this.#conclude();
	}

	/** Somebody may hold the output for ever: what the command itself wrote has come when nothing comes any more. */
	#awaitSilence(): void {
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => {
			if (this.#call.paused && !this.#call.abandoned) this.#awaitSilence();
			else this.#child.stdout?.destroy();
		}, LAST_WORDS_MS);
	}

	#conclude(): void {
		if (this.#done || !this.#exited || !this.#outputEnded) return;
		this.#finish();
		const call = this.#call;
		if (call.abandoned) return;
		if (this.#fault !== undefined) return call.answer.fail(this.#child.signalCode ? "WORKER_DIED" : "FUNCTION_THREW", this.#fault);
		if (call.begun) return call.answer.end();
		if (this.#cgi) return call.answer.fail("RESULT_INVALID", "the command ended before the empty line that ends its headers");
		call.answer.result(200, TEXT, Buffer.concat(this.#held), 0, this.#heldLength);
	}

	#invalid(message: string): void {
		const { answer } = this.#call;
		this.#call.abandoned = true; // whatever it still writes is no part of the answer
		this.kill();
		answer.fail("RESULT_INVALID", message);
	}

	#notStarted(message: string): void {
		if (this.#done) return;
		this.#finish();
		if (!this.#call.abandoned) this.#call.answer.fail("WORKER_DIED", message);
	}

	#finish(): void {
		this.#done = true;
		clearTimeout(this.#silence);
		this.#over();
	}
}
