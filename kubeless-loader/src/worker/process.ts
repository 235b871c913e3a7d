import type { Socket } from "node:net";
import { ChildWorker, type WorkerLimits } from "./child.ts";
import type { AnswerFault, WorkerCall, WorkerEvents } from "./contract.ts";
import { FrameReader, FrameWriter, isCount, type Line, WireError } from "./frames.ts";
import type { Command } from "./group.ts";
import { LineSplitter } from "./lines.ts";
import { readBeforeDestroy } from "./unread.ts";

/** The wire's version (PROTOCOL 8.1). */
export const WIRE_VERSION = 1;

/** A process that has ended may have left children that hold its wire: how long to read on, in `ms`. */
const LAST_WORDS_MS = 100;
/** How long an ended wire waits for its process to end by itself, in `ms`. */
const WIRE_CLOSED_GRACE_MS = 200;
/** Bytes a caller that does not read may have waiting before its worker, deaf to `pause`, is ended. */
const DEAF_LIMIT = 64 * 1024 * 1024;

/** A worker that is a child process and speaks frames on file descriptor 3. */
export class ProcessWorker extends ChildWorker {
	readonly #wire: Socket;
	readonly #writer: FrameWriter;
	readonly #reader = new FrameReader((line, bytes, headStart, bodyStart, end) => this.#frame(line, bytes, headStart, bodyStart, end));
	/** ids of calls that were taken back and that it has not confirmed yet */
	readonly #withdrawn = new Set<number>();
	#recalling = false;
	/** the worker has closed the wire, and nothing of what it wrote is lost */
	#readAll = false;
	/** bytes that came for a paused call since it was paused */
	readonly #deaf = new WeakMap<WorkerCall, number>();

	constructor(command: Command, limits: WorkerLimits, events: WorkerEvents) {
		super(limits, events);
		const env = { ...command.env, KUBELESS_WIRE: String(WIRE_VERSION) };
		const child = this.start({ ...command, env }, ["ignore", "pipe", "pipe", "pipe"]);
		this.#wire = child.stdio[3] as Socket;
		this.#writer = new FrameWriter(this.#wire);
		readBeforeDestroy(this.#wire, (chunk) => {
			this.#readAll ||= chunk === undefined;
			this.state = this.state === "dead" ? "dead" : "retiring";
			if (chunk) this.#read(chunk);
		});
		this.#wire.on("data", (chunk: Buffer) => this.#read(chunk));
		this.#wire.on("end", () => {
			this.#readAll = true;
			this.#wireEnded();
		});
		this.#wire.on("error", () => this.#wireEnded());
		this.#wire.on("close", () => this.#wireClosed());
	}

	override get inFlight(): number {
		return this.calls.size + this.#withdrawn.size;
	}

	override get open(): boolean {
		return super.open && !this.#recalling;
	}

	protected override get knowsBegun(): boolean {
		return this.ahead > 0 && this.#readAll;
	}

	send(call: WorkerCall): void {
		const id = this.taken(call);
		const { headBlock, body } = call;
		// The field order is the same for every call: the line costs one concatenation.
		let line = `{"type":"call","id":${id},${call.fields}`;
		if (headBlock !== "") line += `,"head":${headBlock.length}`;
		if (body !== undefined) line += `,"body":${call.bodyLength}`;
		this.#writer.send(`${line}}\n${headBlock}`, body);
	}

	resume(call: WorkerCall): void {
		call.paused = false;
		if (this.holds(call)) this.#writer.send(`{"type":"resume","id":${call.id}}\n`);
	}

	override recall(): void {
		if (this.#recalling || this.state === "dead") return;
		this.#recalling = true;
		this.#writer.send('{"type":"withdraw"}\n');
		this.#writer.flush(() => afterPoll(() => this.#takeBack()));
	}

	/**
	 * `withdraw` was on the wire before all was read that the worker had written. So a call without an answer by now will be
	 * answered later, and after that the worker reads `withdraw` before it begins another (PROTOCOL 5.5).
	 */
	#takeBack(): void {
		if (this.state === "dead") return;
		const [, ...behind] = this.calls.inOrder();
		for (const call of behind) this.#withdrawn.add(call.id);
		this.#giveBack(behind);
		this.#endRecall();
	}

	#giveBack(calls: readonly WorkerCall[]): void {
		for (const call of calls) this.released(call);
		this.events.returned(calls.filter((call) => !call.abandoned));
	}

	#endRecall(): void {
		if (this.#withdrawn.size > 0) return;
		this.#recalling = false;
		this.callEnded();
	}

	protected letGo(call: WorkerCall): void {
		this.#writer.send(`{"type":"cancel","id":${call.id}}\n`);
		if (call.paused) this.resume(call);
	}

	protected askToFinish(): void {
		this.#writer.send('{"type":"stop"}\n');
	}

	/** `stop` asks for both. */
	protected askToEnd(): void {}

	protected breakOff(): void {
		this.#wire?.destroy();
	}

	protected lastWords(): void {
		if (this.#wire.destroyed && this.#wire.closed) return this.bury();
		setTimeout(() => {
			this.#readAll = true;
			this.#wire.destroy();
		}, LAST_WORDS_MS);
	}

	protected slowToLoad(seconds: number): string {
		return `the function was not loaded after ${seconds} s; raise FUNC_LOAD_TIMEOUT if it needs longer`;
	}

	#read(chunk: Buffer): void {
		if (this.state === "dead") return;
		try {
			this.#reader.push(chunk);
		} catch (error) {
			if (!(error instanceof WireError)) throw error;
			this.#wire.pause();
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
				return this.callEnded();
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
				return this.callEnded();
			}
			case "error": {
				const call = this.#finish(line);
				if (!call.abandoned) call.answer.fail(faultOf(line), textOf(line["message"]) ?? "", textOf(line["stack"]));
				return this.callEnded();
			}
			case "withdrawn":
				return this.#confirmed(line);
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

	/** The worker will not begin a call. */
	#confirmed(line: Line): void {
		if (isCount(line.id) && this.#withdrawn.delete(line.id)) return this.#endRecall();
		const call = this.#find(line, false);
		if (this.ahead === 0) throw new WireError("5.5", `call ${call.id} is withdrawn by a worker that takes none ahead`);
		this.#giveBack([call]);
		this.callEnded();
	}

	/** `begun`: whether the frame may only stand after a `head`, only before it, or, left out, anywhere (PROTOCOL 4.2). */
	#find(line: Line, begun?: boolean): WorkerCall {
		const { id } = line;
		const call = isCount(id) ? this.calls.get(id) : undefined;
		if (call === undefined) throw new WireError("4.9", `${line.type} answers call ${JSON.stringify(id)}, which is not open`);
		if (begun !== undefined && call.begun !== begun) {
			throw new WireError("4.2", `${line.type} of call ${call.id} comes ${begun ? "before" : "after"} its head`);
		}
		return call;
	}

	#finish(line: Line, begun?: boolean): WorkerCall {
		const call = this.#find(line, begun);
		this.released(call);
		return call;
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

	#ready(line: Line): void {
		if (!this.saysOnce()) throw new WireError("3.3", "ready or failed came twice");
		if (line["wire"] !== WIRE_VERSION) {
			this.events.failed(this, {
				code: "WIRE_VERSION",
				message: `the worker speaks wire version ${JSON.stringify(line["wire"])}, this loader ${WIRE_VERSION}: use a loader and a worker of one release`,
			});
			return this.kill("load_failed", "it speaks another version of the wire");
		}
		const own = line["concurrency"];
		const ahead = line["ahead"] ?? 0;
		if (!isCount(ahead)) throw new WireError("3.2", `ahead is ${JSON.stringify(ahead)}`);
		if (own !== undefined && !(isCount(own) && own > 0)) throw new WireError("3.2", `concurrency is ${JSON.stringify(own)}`);
		this.loaded(textOf(line["handler"]) ?? "", own, ahead);
	}

	#failed(line: Line): void {
		if (!this.saysOnce()) throw new WireError("3.3", "ready or failed came twice");
		const handlers = line["handlers"];
		this.failedToLoad({
			code: textOf(line["code"]) ?? "HANDLER_FAILED_TO_LOAD",
			message: textOf(line["message"]) ?? "the worker gave no reason",
			stack: textOf(line["stack"]),
			handlers: Array.isArray(handlers) ? handlers.filter((name) => typeof name === "string") : undefined,
		});
	}

	#log(line: Line, bytes: Buffer, start: number, end: number): void {
		const stream = line["stream"] === "stderr" ? "stderr" : "stdout";
		const call = isCount(line.id) ? this.calls.get(line.id) : undefined;
		const splitter = new LineSplitter((text) => this.events.line(stream, text, call));
		splitter.push(bytes.subarray(start, end));
		splitter.end();
	}

	/** The worker closed its end: no answer can come any more, whatever the process still does. */
	#wireEnded(): void {
		if (this.state === "dead") return;
		this.#wire.destroy();
		const timer = setTimeout(() => {
			this.kill("protocol", "it closed the wire and went on running (wire rule 1.3)");
		}, WIRE_CLOSED_GRACE_MS);
		this.child?.once("exit", () => clearTimeout(timer));
	}

	/** What the wire held has been read: the calls without an answer will get none. */
	#wireClosed(): void {
		if (this.ended) this.bury();
		// Wait for the exit, which says why.
		else this.state = "retiring";
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

/** Calls back when all that is on a socket by now has been read: Node.js reads what is ready once a turn. */
function afterPoll(then: () => void): void {
	setImmediate(() => setImmediate(then));
}
