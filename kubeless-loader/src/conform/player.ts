import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { type Call, Conversation } from "./conversation.ts";
import { Decoder, show } from "./decoder.ts";
import type { Encoded } from "./encoder.ts";
import { Fault, Mismatch, NotStarted } from "./fault.ts";
import { type Candidate, startWorker } from "./start.ts";
import { MAX_LINE_LENGTH, note } from "./transcript.ts";
import type { Start, Suite } from "./vectors.ts";

/** How long to wait for an expected event, in ms. */
export const WITHIN_MS = 5_000;
/** How long to wait for `ready`, in ms: starting a virtual machine takes long. */
export const START_MS = 20_000;
/**
 * How long a process may run after its wire has ended (1.3), in ms: some languages need a moment to
 * exit.
 */
const EXIT_GRACE_MS = 2_000;
/** Characters of output that are kept for a report. */
const MAX_OUTPUT = 4_000;

/** players whose worker may still run */
const living = new Set<Player>();

/**
 * Plays the loader for one worker: starts it, sends frames, keeps the frames that it receives. The
 * first fault ends the test.
 */
export class Player {
	readonly conversation = new Conversation();
	readonly sent: string[] = [];
	readonly got: string[] = [];
	readonly #output = { stdout: "", stderr: "" };
	readonly #child: ChildProcess;
	readonly #wire: Socket;
	readonly #decoder = new Decoder();
	readonly #patience: number;
	readonly #concurrency: number;
	#waiting = new Set<() => void>();
	#fault: Fault | NotStarted | undefined;
	/** the exit code, or the signal's name */
	#exit: number | string | undefined;
	#wireEnded = false;
	/** this side has ended the wire or the worker: a frame may be incomplete */
	#broken = false;
	#afterlife: NodeJS.Timeout | undefined;

	constructor(candidate: Candidate, suite: Suite, start: Start = {}) {
		this.#patience = candidate.patience ?? 1;
		this.#concurrency = candidate.concurrency;
		this.#child = startWorker(candidate, { handler: suite.handler, ...start });
		living.add(this);
		this.#wire = this.#child.stdio[3] as Socket;
		this.#wire.on("data", (chunk: Buffer) => this.#read(chunk));
		this.#wire.on("end", () => this.#end());
		this.#wire.on("error", () => this.#end());
		this.#child.on("error", (error) => this.#fail(new NotStarted(error.message)));
		this.#child.on("exit", (code, signal) => {
			this.#exit = code ?? signal ?? undefined;
			this.look();
		});
		for (const stream of ["stdout", "stderr"] as const) {
			this.#child[stream]?.setEncoding("utf8").on("data", (text: string) => {
				this.#output[stream] += text;
				this.look();
			});
		}
	}

	/** Waits for `ready`. */
	async ready(): Promise<void> {
		const frame = await this.until("ready", () => this.conversation.started, START_MS);
		if (frame.line.type !== "ready") throw new Mismatch("ready", JSON.stringify(frame.line));
	}

	/** calls it takes at once */
	get concurrency(): number {
		return (this.conversation.started?.line["concurrency"] as number | undefined) ?? this.#concurrency;
	}

	/** Sends frames in as few writes as possible; a worker gets no more calls than it takes (5.4). */
	async send(frames: readonly Encoded[]): Promise<void> {
		let batch: Buffer[] = [];
		const flush = () => {
			this.#wire.write(Buffer.concat(batch));
			batch = [];
		};
		for (const frame of frames) {
			if (frame.call !== undefined) {
				const most = this.concurrency + (frame.ahead ? this.conversation.ahead : 0);
				if (this.conversation.open >= most) {
					flush();
					await this.until("an answer to one of the calls it holds", () => this.conversation.open < most || undefined);
				}
				this.conversation.call(frame.call);
			}
			if (frame.withdraw) this.conversation.withdraw();
			note(this.sent, frame.line.toString().trimEnd(), frame.head.length + frame.body.length);
			batch.push(frame.line, frame.head, frame.body);
		}
		flush();
	}

	/** Sends one frame in pieces, with time for the worker to read each before the next one comes. */
	async sendPieces(frame: Encoded, pieces: readonly Buffer[], pauseMs: number): Promise<void> {
		if (frame.call !== undefined) this.conversation.call(frame.call);
		note(this.sent, frame.line.toString().trimEnd(), frame.head.length + frame.body.length);
		for (const piece of pieces) {
			this.#wire.write(piece);
			await new Promise((resolve) => setTimeout(resolve, pauseMs));
		}
	}

	/** Sends bytes that need not be a frame. */
	sendRaw(bytes: Buffer): void {
		note(this.sent, show(bytes, MAX_LINE_LENGTH));
		this.#wire.write(bytes);
	}

	/** Ends the wire from the loader's side. */
	close(): void {
		this.#broken = true;
		note(this.sent, "(end of the wire)");
		this.#wire.end();
	}

	/** Kills the worker's process, but not its children. */
	kill(): void {
		this.#broken = true;
		this.#child.kill("SIGKILL");
	}

	get wireEnded(): boolean {
		return this.#wireEnded;
	}

	get exit(): number | string | undefined {
		return this.#exit;
	}

	/** false once either side has ended */
	get usable(): boolean {
		return this.#exit === undefined && !this.#wireEnded && !this.#broken;
	}

	/** @throws {Fault} if the worker has broken a rule */
	check(): void {
		if (this.#fault) throw this.#fault;
	}

	/** Returns the function's output, from the stream itself and from log frames (7.1). */
	printed(stream: "stdout" | "stderr"): string {
		return this.#output[stream] + this.conversation.logged[stream];
	}

	/** the last MAX_OUTPUT characters of the output */
	get output(): string {
		return (this.printed("stdout") + this.printed("stderr")).slice(-MAX_OUTPUT);
	}

	/**
	 * Waits until the probe returns a value, for `within` ms times the patience.
	 * @throws {Fault} as soon as the worker breaks a rule
	 * @throws {NotStarted} if the command could not be started
	 * @throws {Mismatch} after that time, or when the worker has ended
	 */
	until<T>(expected: string, probe: () => T | undefined, within = WITHIN_MS): Promise<T> {
		const ms = within * this.#patience;
		return new Promise((resolve, reject) => {
			const settle = (act: () => void) => {
				clearTimeout(timer);
				this.#waiting.delete(look);
				act();
			};
			const look = () => {
				if (this.#fault) return settle(() => reject(this.#fault));
				let found: T | undefined;
				try {
					found = probe();
				} catch (error) {
					return settle(() => reject(error));
				}
				if (found !== undefined) return settle(() => resolve(found));
				if (this.#wireEnded && this.#exit !== undefined) {
					settle(() => reject(new Mismatch(expected, `the worker ended (${exitWords(this.#exit)})`)));
				}
			};
			const timer = setTimeout(() => settle(() => reject(new Mismatch(expected, `it did not come within ${ms} ms`))), ms);
			this.#waiting.add(look);
			look();
		});
	}

	/** Runs all waiting probes again. */
	look(): void {
		for (const look of [...this.#waiting]) look();
	}

	callOf(id: number): Call {
		const call = this.conversation.calls.get(id);
		if (!call) throw new Error(`This vector looks at call ${id}, which it did not send.`);
		return call;
	}

	/** Ends the worker and its children. */
	dispose(): void {
		living.delete(this);
		this.#broken = true;
		clearTimeout(this.#afterlife);
		this.#wire?.destroy();
		if (this.#child.pid === undefined) return;
		try {
			process.kill(-this.#child.pid, "SIGKILL");
		} catch {
			// The group has ended already.
		}
	}

	#read(chunk: Buffer): void {
		if (this.#fault) return;
		try {
			for (const frame of this.#decoder.decode(chunk)) {
				note(this.got, JSON.stringify(frame.line), frame.bytes);
				this.conversation.take(frame);
			}
		} catch (error) {
			if (!(error instanceof Fault)) throw error;
			this.#fail(error);
		}
		this.look();
	}

	#end(): void {
		if (this.#wireEnded) return;
		this.#wireEnded = true;
		note(this.got, "(end of the wire)");
		try {
			if (!this.#broken) this.#decoder.end();
		} catch (error) {
			this.#fail(error as Fault);
		}
		if (this.#exit === undefined && !this.#broken) {
			this.#afterlife = setTimeout(() => {
				if (this.#exit === undefined) this.#fail(new Fault("1.3", `it closed the wire and was still running ${EXIT_GRACE_MS} ms later`));
			}, EXIT_GRACE_MS);
		}
		this.look();
	}

	#fail(fault: Fault | NotStarted): void {
		this.#fault ??= fault;
		this.look();
	}
}

/** Ends all workers: they have process groups of their own, which Ctrl-C does not reach. */
export function disposeAll(): void {
	for (const player of living) player.dispose();
}

export function exitWords(exit: number | string | undefined): string {
	return typeof exit === "string" ? `signal ${exit}` : `exit code ${exit}`;
}
