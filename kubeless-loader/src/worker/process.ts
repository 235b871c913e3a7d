import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { CallTable } from "./calls.ts";
import type { AnswerFault, ExitReason, LoadFailure, Worker, WorkerCall, WorkerEvents } from "./contract.ts";
import { FrameReader, FrameWriter, isCount, type Line, WireError } from "./frames.ts";
import { LineSplitter } from "./lines.ts";

/** How to start a worker. */
export interface ProcessSpec {
	readonly command: readonly string[];
	readonly env: Readonly<NodeJS.ProcessEnv>;
	/** the working folder */
	readonly cwd: string;
	readonly loadTimeoutMs: number;
	/** calls at once, where neither the user nor the worker says */
	readonly concurrency: number;
	/** the user's own word on calls at once */
	readonly concurrencyLimit: number | undefined;
}

/** The wire's version (PROTOCOL, Versions). */
export const WIRE_VERSION = 1;

/** A process that has ended may have left children that hold its wire: how long to read on, in `ms`. */
const LAST_WORDS_MS = 100;
/** How long an ended wire waits for its process to end by itself, in `ms`. */
const WIRE_CLOSED_GRACE_MS = 200;
/** How long a process that was asked to stop may take for it, in `ms`. */
const STOP_GRACE_MS = 2000;
/** Bytes a caller that does not read may have waiting before its worker, deaf to `pause`, is ended. */
const DEAF_LIMIT = 64 * 1024 * 1024;

type State = "loading" | "open" | "retiring" | "dead";

/** A worker that is a child process and speaks frames on file descriptor 3. */
export class ProcessWorker implements Worker {
	handler = "";
	concurrency = 0;
	doubts = 0;
	readonly #child: ChildProcess;
	readonly #wire: Socket;
	readonly #writer: FrameWriter;
	readonly #reader = new FrameReader((line, bytes, headStart, bodyStart, end) => this.#frame(line, bytes, headStart, bodyStart, end));
	#calls = new CallTable(0);
	readonly #spec: ProcessSpec;
	readonly #events: WorkerEvents;
	#state: State = "loading";
	/** calls somebody still waits for */
	#awaited = 0;
	/** why it ends: the first reason given wins */
	#reason: ExitReason | undefined;
	#why = "";
	#timer: NodeJS.Timeout | undefined;
	#said = false;

	constructor(spec: ProcessSpec, events: WorkerEvents) {
		this.#spec = spec;
		this.#events = events;
		const [command, ...args] = spec.command as [string, ...string[]];
		this.#child = spawn(command, args, {
			cwd: spec.cwd,
			env: { ...spec.env, KUBELESS_WIRE: String(WIRE_VERSION) },
			stdio: ["ignore", "pipe", "pipe", "pipe"],
			// A group of its own: a kill reaches what the function started, a Ctrl-C at a terminal does not reach the function.
			detached: true,
		});
		this.#wire = this.#child.stdio[3] as Socket;
		this.#writer = new FrameWriter(this.#wire);
		this.#wire.on("data", (chunk: Buffer) => this.#read(chunk));
		this.#wire.on("end", () => this.#wireEnded());
		this.#wire.on("error", () => this.#wireEnded());
		this.#wire.on("close", () => this.#wireClosed());
		this.#child.on("exit", (code, signal) => this.#exited(code, signal));
		this.#child.on("error", (error) => this.#notStarted(error));
		this.#print("stdout");
		this.#print("stderr");
		this.#timer = setTimeout(() => {
			this.#events.failed(this, {
				code: "HANDLER_FAILED_TO_LOAD",
				message: `the function was not loaded after ${spec.loadTimeoutMs / 1000} s; raise FUNC_LOAD_TIMEOUT if it needs longer`,
			});
			this.kill("load_timeout", "it took too long to load");
		}, spec.loadTimeoutMs);
	}

	get pid(): number | undefined {
		return this.#child.pid;
	}

	get inFlight(): number {
		return this.#calls.size;
	}

	get open(): boolean {
		return this.#state === "open" && this.doubts === 0;
	}

	holds(call: WorkerCall): boolean {
		return this.#calls.get(call.id) === call;
	}

	send(call: WorkerCall): void {
		const id = this.#calls.add(call);
		this.#awaited++;
		const { headBlock, body } = call;
		// The field order is the same for every call: the line costs one concatenation.
		let line = `{"type":"call","id":${id},${call.fields}`;
		if (headBlock !== "") line += `,"head":${headBlock.length}`;
		if (body !== undefined) line += `,"body":${call.bodyLength}`;
		this.#writer.send(`${line}}\n${headBlock}`, body);
	}

	cancel(call: WorkerCall): void {
		if (call.abandoned || !this.holds(call)) return;
		call.abandoned = true;
		this.#awaited--;
		this.#writer.send(`{"type":"cancel","id":${call.id}}\n`);
		if (call.paused) this.resume(call);
		this.#endIfRetired();
	}

	resume(call: WorkerCall): void {
		call.paused = false;
		if (this.holds(call)) this.#writer.send(`{"type":"resume","id":${call.id}}\n`);
	}

	retire(reason: ExitReason): void {
		if (this.#state === "dead" || this.#state === "retiring") return;
		this.#reason ??= reason;
		this.#state = "retiring";
		this.#writer.send('{"type":"stop"}\n');
		this.#endIfRetired();
	}

	kill(reason: ExitReason, why: string): void {
		if (this.#state === "dead") return; // its process number may be another's by now
		this.#reason ??= reason;
		if (this.#why === "") this.#why = why;
		this.#state = "retiring";
		this.#signal("SIGKILL");
		this.#wire.destroy();
	}

	/** A retired worker that holds nothing anybody waits for gets a moment to leave by itself. */
	#endIfRetired(): void {
		if (this.#state !== "retiring" || this.#awaited > 0) return;
		if (this.#calls.size > 0) return this.kill("stopped", "it held only calls nobody waited for");
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.kill("stopped", "it did not stop when asked"), STOP_GRACE_MS);
	}

	#signal(signal: NodeJS.Signals): void {
		const { pid } = this.#child;
		if (pid === undefined) return;
		try {
			process.kill(-pid, signal);
		} catch {
			// The group is gone already.
		}
	}

	#read(chunk: Buffer): void {
		if (this.#state === "dead") return;
		try {
			this.#reader.push(chunk);
		} catch (error) {
			if (!(error instanceof WireError)) throw error;
			this.#wire.pause();
			this.#reason ??= "protocol";
			this.kill("protocol", error.message);
		}
	}

	#frame(line: Line, bytes: Buffer, headStart: number, bodyStart: number, end: number): void {
		switch (line.type) {
			case "result": {
				const status = statusOf(line);
				const call = this.#finish(line, false);
				if (!call.abandoned) {
					const head = headStart === bodyStart ? "" : bytes.toString("latin1", headStart, bodyStart);
					call.answer.result(status, head, bytes, bodyStart, end);
				}
				return this.#ended();
			}
			case "head": {
				const status = statusOf(line);
				const call = this.#find(line, false);
				call.begun = true;
				if (!call.abandoned) call.answer.head(status, bytes.toString("latin1", headStart, bodyStart));
				return;
			}
			case "chunk": {
				const call = this.#find(line, true);
				if (call.abandoned || end === bodyStart) return;
				if (!call.answer.chunk(bytes.subarray(bodyStart, end))) this.#pause(call, end - bodyStart);
				return;
			}
			case "end": {
				const call = this.#finish(line, true);
				if (!call.abandoned) call.answer.end();
				return this.#ended();
			}
			case "error": {
				const call = this.#finish(line);
				if (!call.abandoned) call.answer.fail(faultOf(line), textOf(line["message"]) ?? "", textOf(line["stack"]));
				return this.#ended();
			}
			case "log":
				return this.#log(line, bytes, bodyStart, end);
			case "ready":
				return this.#ready(line);
			case "failed":
				return this.#failed(line);
			default:
				throw new WireError("2.2", `a worker does not send ${JSON.stringify(line.type)}`);
		}
	}

	/** `begun`: whether the frame may only stand after a `head`, only before it, or, left out, anywhere (PROTOCOL 4.2). */
	#find(line: Line, begun?: boolean): WorkerCall {
		const { id } = line;
		const call = isCount(id) ? this.#calls.get(id) : undefined;
		if (call === undefined) throw new WireError("4.9", `${line.type} answers call ${JSON.stringify(id)}, which is not open`);
		if (begun !== undefined && call.begun !== begun) {
			throw new WireError("4.2", `${line.type} of call ${call.id} comes ${begun ? "before" : "after"} its head`);
		}
		return call;
	}

	#finish(line: Line, begun?: boolean): WorkerCall {
		const call = this.#find(line, begun);
		this.#calls.delete(call);
		if (!call.abandoned) this.#awaited--;
		return call;
	}

	#ended(): void {
		if (this.#state === "retiring") this.#endIfRetired();
		else this.#events.room(this);
	}

	#pause(call: WorkerCall, length: number): void {
		if (!call.paused) {
			call.paused = true;
			this.#deaf.set(call, 0);
			this.#writer.send(`{"type":"pause","id":${call.id}}\n`);
			return;
		}
		const waiting = (this.#deaf.get(call) ?? 0) + length;
		this.#deaf.set(call, waiting);
		if (waiting > DEAF_LIMIT) throw new WireError("5.1", `call ${call.id} was paused and ${waiting} bytes came`);
	}

	/** bytes that came for a paused call since it was paused */
	readonly #deaf = new WeakMap<WorkerCall, number>();

	#ready(line: Line): void {
		if (this.#said) throw new WireError("3.3", "ready or failed came twice");
		this.#said = true;
		if (line["wire"] !== WIRE_VERSION) {
			this.#events.failed(this, {
				code: "WIRE_VERSION",
				message: `the worker speaks wire version ${JSON.stringify(line["wire"])}, this loader ${WIRE_VERSION}: use a loader and a worker of one release`,
			});
			return this.kill("load_failed", "it speaks another version of the wire");
		}
		clearTimeout(this.#timer);
		const own = line["concurrency"];
		if (own !== undefined && !(isCount(own) && own > 0)) throw new WireError("3.2", `concurrency is ${JSON.stringify(own)}`);
		this.handler = textOf(line["handler"]) ?? "";
		this.concurrency = Math.min(own ?? this.#spec.concurrency, this.#spec.concurrencyLimit ?? Number.POSITIVE_INFINITY);
		if (this.#state !== "loading") return;
		this.#calls = new CallTable(this.concurrency);
		this.#state = "open";
		this.#events.ready(this);
	}

	#failed(line: Line): void {
		if (this.#said) throw new WireError("3.3", "ready or failed came twice");
		this.#said = true;
		clearTimeout(this.#timer);
		const handlers = line["handlers"];
		const failure: LoadFailure = {
			code: textOf(line["code"]) ?? "HANDLER_FAILED_TO_LOAD",
			message: textOf(line["message"]) ?? "the worker gave no reason",
			stack: textOf(line["stack"]),
			handlers: Array.isArray(handlers) ? handlers.filter((name) => typeof name === "string") : undefined,
		};
		this.#reason ??= "load_failed";
		this.#why = failure.message;
		this.#events.failed(this, failure);
		this.#timer = setTimeout(() => this.kill("load_failed", failure.message), STOP_GRACE_MS);
	}

	#log(line: Line, bytes: Buffer, start: number, end: number): void {
		const stream = line["stream"] === "stderr" ? "stderr" : "stdout";
		const call = isCount(line.id) ? this.#calls.get(line.id) : undefined;
		const splitter = new LineSplitter((text) => this.#events.line(stream, text, call));
		splitter.push(bytes.subarray(start, end));
		splitter.end();
	}

	#print(stream: "stdout" | "stderr"): void {
		const pipe = this.#child[stream];
		if (!pipe) return;
		const splitter = new LineSplitter((text) => this.#events.line(stream, text, undefined));
		pipe.on("data", (bytes: Buffer) => splitter.push(bytes));
		pipe.on("end", () => splitter.end());
		pipe.on("error", () => splitter.end());
	}

	/** The worker closed its end: no answer can come any more, whatever the process still does. */
	#wireEnded(): void {
		if (this.#state === "dead") return;
		this.#wire.destroy();
		const timer = setTimeout(() => {
			this.kill("protocol", "it closed the wire and went on running (wire rule 1.3)");
		}, WIRE_CLOSED_GRACE_MS);
		this.#child.once("exit", () => clearTimeout(timer));
	}

	/** What the wire held has been read: the calls without an answer will get none. */
	#wireClosed(): void {
		if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined) {
			// Wait for the exit, which says why.
			this.#state = "retiring";
			return;
		}
		this.#bury();
	}

	#exited(code: number | null, signal: NodeJS.Signals | null): void {
		this.#reason ??= signal ? "signal" : "exit";
		if (this.#why === "") this.#why = signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
		this.#signal("SIGKILL"); // what it started and left behind
		if (this.#wire.destroyed && this.#wire.closed) return this.#bury();
		setTimeout(() => this.#wire.destroy(), LAST_WORDS_MS);
	}

	#notStarted(error: Error): void {
		if (this.#child.pid !== undefined) return;
		const [command] = this.#spec.command;
		const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
		const message = missing ? `"${command}" is not installed or not on PATH` : `"${command}" cannot be started: ${error.message}`;
		this.#events.failed(this, { code: "WORKER_NOT_STARTED", message });
		this.#reason ??= "load_failed";
		this.#why = message;
		this.#wire?.destroy();
		this.#bury();
	}

	#bury(): void {
		if (this.#state === "dead") return;
		this.#state = "dead";
		clearTimeout(this.#timer);
		const code: AnswerFault = this.#reason === "protocol" ? "WIRE_BROKEN" : "WORKER_DIED";
		for (const call of this.#calls.values()) if (!call.abandoned) call.answer.fail(code, this.#why);
		this.#calls.clear();
		if (!this.#said && this.#reason !== "load_timeout" && this.#reason !== "load_failed") {
			this.#events.failed(this, { code: "HANDLER_FAILED_TO_LOAD", message: `the worker was not ready when ${this.#why}` });
		}
		this.#events.gone(this, this.#reason ?? "exit", this.#why);
	}
}

function statusOf(line: Line): number {
	const { status = 200 } = line;
	// 1xx are the loader's to send: to a caller they are not an answer.
	if (isCount(status, 999) && status >= 200) return status;
	throw new WireError("4.4", `status is ${JSON.stringify(status)}`);
}

function faultOf(line: Line): AnswerFault {
	switch (line["code"]) {
		case "BODY_MALFORMED":
		case "RESULT_INVALID":
			return line["code"];
		case "CANCELLED":
			return "CALLER_GONE";
		default:
			return "FUNCTION_THREW";
	}
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
