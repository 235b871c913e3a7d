import type { ChildProcess } from "node:child_process";
import type { SentCall, Worker, WorkerCall } from "../contract.ts";
import type { LineSink } from "../process/lines.ts";
import { type Command, readLines, signalGroup, startGroup, whyNotStarted } from "../process/process-group.ts";
import { cgiVariables, readCgiHead } from "./cgi.ts";

/**
 * Bytes of an answer that are held until the exit code is known: a streamed answer cannot become a
 * 500.
 */
const MAX_HELD_BYTES = 64 * 1024;
/** Bytes of a CGI header block. */
const MAX_HEAD_BYTES = 64 * 1024;
/**
 * A child of an ended command may still hold its output: how long the output must be silent, in ms.
 */
const SILENCE_MS = 100;
const TEXT = ["Content-Type", "text/plain; charset=utf-8"];

/** One call and the process that runs it. */
export class Run implements SentCall {
	readonly worker: Worker;
	readonly id: number;
	readonly call: WorkerCall;
	readonly #cgi: boolean;
	#child: ChildProcess | undefined;
	#ended: () => void = () => {};
	#cancelled = false;
	/** the caller reads slower than the command writes */
	#paused = false;
	/** the answer's head was passed on; a stream follows */
	#streaming = false;
	/** the output is not CGI: the call has failed, and the rest of the output is discarded */
	#invalid = false;
	/** the beginning of the output, until the head is complete or the exit code known */
	#held: Buffer[] = [];
	#heldLength = 0;
	/** why the call failed: a sentence about the exit; undefined after exit code 0 */
	#fault: string | undefined;
	#killedWhy = "";
	#exited = false;
	#outputEnded = false;
	#silence: NodeJS.Timeout | undefined;
	/** the process has ended and its output was read */
	over = false;

	constructor(worker: Worker, id: number, call: WorkerCall, output: "body" | "cgi") {
		this.worker = worker;
		this.id = id;
		this.call = call;
		this.#cgi = output === "cgi";
	}

	/**
	 * Starts the process; called once. `ended` is called when the process has ended and its output was
	 * read.
	 */
	start(command: Command, printed: LineSink, ended: () => void): void {
		this.#ended = ended;
		if (this.#cancelled || this.#killedWhy !== "") return this.#notStarted(this.#killedWhy);
		const [program = ""] = command.command;
		let child: ChildProcess;
		try {
			const env = { ...command.env, ...cgiVariables(this.call) };
			child = startGroup({ ...command, env }, ["pipe", "pipe", "pipe"]);
		} catch (cause) {
			// The system refused: the variables are too long, or memory is short.
			return this.#notStarted(whyNotStarted(program, cause as Error));
		}
		this.#child = child;
		child.on("error", (error) => {
			if (child.pid === undefined) this.#notStarted(whyNotStarted(program, error));
		});
		child.on("exit", (code, signal) => this.#exit(code, signal));
		readLines(child.stderr, printed);
		child.stdout?.on("data", (bytes: Buffer) => this.#read(bytes));
		child.stdout?.on("close", () => {
			this.#outputEnded = true;
			this.#conclude();
		});
		child.stdout?.on("error", () => {});
		this.#feed(child);
	}

	get pid(): number | undefined {
		return this.#child?.pid;
	}

	get open(): boolean {
		return !this.over;
	}

	/** The process ends with the call, and with it the pipe that holds the rest of the body. */
	onceWritten(then: () => void): void {
		then();
	}

	cancel(): void {
		if (this.#cancelled || this.over) return;
		this.#cancelled = true;
		this.kill();
	}

	resume(): void {
		this.#paused = false;
		this.#child?.stdout?.resume();
	}

	/** Ends the process and all processes it started; `why` is the message of the failed call. */
	kill(why = ""): void {
		this.#killedWhy ||= why;
		if (!this.#exited) signalGroup(this.pid, "SIGKILL");
		this.#child?.stdout?.resume();
	}

	#feed({ stdin }: ChildProcess): void {
		if (!stdin) return;
		stdin.on("error", () => {}); // a command need not read its input
		const { body, upload } = this.call;
		if (upload) {
			upload.pipe(stdin);
			// Killed, not only ended: the command must not take half a body for a whole one.
			upload.on("close", () => {
				if (!upload.readableEnded) this.kill();
			});
			stdin.on("close", () => upload.unpipe(stdin));
		} else {
			for (const part of body?.parts ?? []) stdin.write(part);
			stdin.end();
		}
	}

	#read(bytes: Buffer): void {
		if (this.over || this.#cancelled || this.#invalid) return;
		if (this.#exited) this.#awaitSilence();
		if (this.#streaming) return this.#pass(bytes);
		this.#held.push(bytes);
		this.#heldLength += bytes.length;
		if (this.#cgi) this.#readHead();
		else if (this.#heldLength > MAX_HELD_BYTES) this.#stream(200, TEXT, Buffer.concat(this.#held));
	}

	#readHead(): void {
		const bytes = Buffer.concat(this.#held);
		this.#held = [bytes];
		try {
			const found = readCgiHead(bytes);
			if ((found?.bodyStart ?? bytes.length) > MAX_HEAD_BYTES)
				throw new Error(`its output has no empty line, which ends the headers, in the first ${MAX_HEAD_BYTES} bytes`);
			if (found) this.#stream(found.status, found.head, bytes.subarray(found.bodyStart));
		} catch (cause) {
			this.#failAsInvalid((cause as Error).message);
		}
	}

	#stream(status: number, head: readonly string[], first: Buffer): void {
		this.#held = [];
		this.#streaming = true;
		this.call.answer.head(status, head);
		if (first.length > 0) this.#pass(first);
	}

	#pass(bytes: Buffer): void {
		if (this.call.answer.chunk(bytes)) return;
		this.#paused = true;
		this.#child?.stdout?.pause();
	}

	#exit(code: number | null, signal: NodeJS.Signals | null): void {
		this.#exited = true;
		signalGroup(this.pid, "SIGKILL"); // processes that it started and left behind
		if (signal) this.#fault = this.#killedWhy || `the command was ended by ${signal}`;
		else if (code !== 0) this.#fault = `the command ended with exit code ${code}`;
		this.#awaitSilence();
		this.#conclude();
	}

	/**
	 * Another process may hold the output open: after a silence, all that the command itself wrote has
	 * arrived. Bytes that wait are read first: the loader may have had no CPU for that long.
	 */
	#awaitSilence(): void {
		clearTimeout(this.#silence);
		const silence = setTimeout(() => setImmediate(() => this.#closeOutput(silence)), SILENCE_MS);
		this.#silence = silence;
	}

	/** Closes the output after a silence, unless bytes have come meanwhile. */
	#closeOutput(silence: NodeJS.Timeout): void {
		if (silence !== this.#silence || this.over) return;
		if (this.#paused && !this.#cancelled) this.#awaitSilence();
		else this.#child?.stdout?.destroy();
	}

	#conclude(): void {
		if (this.over || !this.#exited || !this.#outputEnded) return;
		this.#finish();
		if (this.#cancelled || this.#invalid) return;
		const { answer } = this.call;
		if (this.#fault !== undefined) return answer.fail(this.#child?.signalCode ? "WORKER_DIED" : "FUNCTION_THREW", this.#fault);
		if (this.#streaming) return answer.end();
		if (this.#cgi) return answer.fail("RESULT_INVALID", "the command ended before the empty line that ends its headers");
		answer.result(200, TEXT, Buffer.concat(this.#held), 0, this.#heldLength);
	}

	#failAsInvalid(message: string): void {
		this.#invalid = true;
		this.kill();
		this.call.answer.fail("RESULT_INVALID", message);
	}

	#notStarted(message: string): void {
		if (this.over) return;
		this.#finish();
		if (!this.#cancelled) this.call.answer.fail("WORKER_DIED", message);
	}

	#finish(): void {
		this.over = true;
		clearTimeout(this.#silence);
		this.#ended();
	}
}
