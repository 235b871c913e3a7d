// The kind of worker that speaks the wire (runtimes/PROTOCOL.md): one process that takes many calls
// over file descriptor 3. frames.ts and messages.ts read what it sends; this file finds the call
// that a frame is about, and wire-call.ts sends that call and passes its answer on.
import { Socket } from "node:net";
import type { Intake, WorkerCall, WorkerEvents } from "../contract.ts";
import { ChildWorker, type WorkerLimits } from "../process/child.ts";
import { LineSplitter } from "../process/lines.ts";
import type { Command } from "../process/process-group.ts";
import { FrameWriter } from "./frame-writer.ts";
import { FrameReader, isCount, isHeadTooLong, type Line, MAX_HEAD, WireError } from "./frames.ts";
import { type LogMessage, type ReadyMessage, WIRE_VERSION, workerMessage } from "./messages.ts";
import { readBeforeDestroy } from "./read-before-destroy.ts";
import { Recall } from "./recall.ts";
import { WireCall } from "./wire-call.ts";

export const WIRE_INTAKE: Intake = { body: "whole", envelopes: "opened", upgrades: false };

/** Children of an ended process may still hold its wire: how long to read on, in ms. */
const READ_ON_MS = 100;
/** How long a process may run on after its wire has ended, in ms. */
const WIRE_CLOSED_GRACE_MS = 200;

export class WireWorker extends ChildWorker<WireCall> {
	readonly #wire: Socket;
	readonly #writer: FrameWriter;
	readonly #reader = new FrameReader((line, bytes, headStart, bodyStart, end) => this.#frame(line, bytes, headStart, bodyStart, end));
	readonly #recall = new Recall({
		behindFirst: () => (this.state === "dead" ? undefined : this.calls.inOrder().slice(1)),
		giveBack: (calls) => this.#giveBack(calls),
		ended: () => this.callEnded(),
	});
	/** the worker takes an envelope beside the data in it */
	#envelopes = false;
	/** the worker has closed the wire, and all it wrote was read */
	#readAll = false;

	constructor(command: Command, limits: WorkerLimits, events: WorkerEvents) {
		super(limits, events);
		const env = { ...command.env, KUBELESS_WIRE: String(WIRE_VERSION) };
		const child = this.start({ ...command, env }, ["ignore", "pipe", "pipe", "pipe"]);
		// Without file descriptors or processes left (EMFILE, EAGAIN) there are no pipes; `error`
		// follows.
		this.#wire = (child.stdio?.[3] as Socket | undefined) ?? new Socket();
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
		return this.calls.size + this.#recall.unconfirmed;
	}

	override get open(): boolean {
		return super.open && !this.#recall.active;
	}

	protected override get onlyFirstBegun(): boolean {
		return this.ahead > 0 && this.#readAll;
	}

	send(call: WorkerCall): WireCall {
		const sent = new WireCall(this, call);
		this.add(sent);
		sent.send(this.#writer, this.#envelopes);
		return sent;
	}

	pause(sent: WireCall): void {
		this.#writer.send(`{"type":"pause","id":${sent.id}}\n`);
	}

	pauseWire(): void {
		this.#wire.pause();
	}

	resume(sent: WireCall): void {
		if (sent.holdsWire) {
			sent.holdsWire = false;
			this.#wire.resume();
		}
		if (!sent.paused) return;
		sent.paused = false;
		if (this.holds(sent)) this.#writer.send(`{"type":"resume","id":${sent.id}}\n`);
	}

	override recall(): void {
		if (this.state !== "dead") this.#recall.begin(this.#writer);
	}

	#giveBack(sent: readonly WireCall[]): void {
		for (const one of sent) this.remove(one);
		this.events.returned(sent.filter(({ cancelled }) => !cancelled).map(({ call }) => call));
	}

	protected sendCancel(sent: WireCall): void {
		this.#writer.send(`{"type":"cancel","id":${sent.id}}\n`);
		this.resume(sent);
	}

	protected sendStop(): void {
		this.#writer.send('{"type":"stop"}\n');
	}

	protected requestExit(): void {} // `stop` has requested it

	protected disconnect(): void {
		this.#wire?.destroy();
	}

	protected readRemaining(): void {
		if (this.#wire.destroyed && this.#wire.closed) return this.onGone();
		setTimeout(() => {
			this.#readAll = true;
			this.#wire.destroy();
		}, READ_ON_MS);
	}

	protected loadTimeoutMessage(seconds: number): string {
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
		const message = workerMessage(line);
		switch (message.type) {
			case "result": {
				const { status = 200 } = message;
				if (isHeadTooLong(line)) return this.#headTooLong(this.#find(message, false), line);
				if (line.body !== undefined && line.body > end - bodyStart) {
					const sent = this.#find(message);
					if (!sent.takePart(status, line.body, bytes, headStart, bodyStart, end)) return;
					this.remove(sent);
					sent.endParts();
					return this.callEnded();
				}
				const sent = this.#end(message, false);
				if (!sent.cancelled) {
					const head = headStart === bodyStart ? "" : bytes.toString("latin1", headStart, bodyStart);
					sent.call.answer.result(status, head, bytes, bodyStart, end);
				}
				return this.callEnded();
			}
			case "head":
				if (isHeadTooLong(line)) return this.#headTooLong(this.#find(message, false), line);
				return this.#find(message, false).head(message.status ?? 200, bytes.toString("latin1", headStart, bodyStart));
			case "chunk":
				return this.#find(message, true).chunk(bytes.subarray(bodyStart, end));
			case "end": {
				const sent = this.#end(message, true);
				if (!sent.cancelled) sent.call.answer.end();
				return this.callEnded();
			}
			case "error": {
				const { call, cancelled } = this.#end(message);
				if (!cancelled) call.answer.fail(message.code, message.message, message.stack);
				return this.callEnded();
			}
			case "withdrawn":
				return this.#confirmed(message);
			case "log":
				return this.#log(message, bytes.subarray(bodyStart, end));
			case "ready":
				return this.#ready(message);
			case "failed":
				if (!this.reportedOnce()) throw new WireError("3.3", "ready or failed came twice");
				this.failedToLoad(message.failure);
		}
	}

	/** Fails a call whose headers cannot be passed on; the worker is not to blame. */
	#headTooLong(sent: WireCall, { type, head }: Line): void {
		sent.begun = true;
		if (type === "result") this.remove(sent);
		if (!sent.cancelled) {
			const message = `the answer has ${head} bytes of headers, and the limit is ${MAX_HEAD}: send the data in the body`;
			sent.call.answer.fail("RESULT_INVALID", message);
			if (type === "head") this.cancel(sent);
		}
		if (type === "result") this.callEnded();
	}

	/** The worker will not begin a call. */
	#confirmed(message: { readonly type: string; readonly id: unknown }): void {
		if (isCount(message.id) && this.#recall.confirm(message.id)) return;
		const sent = this.#find(message, false);
		if (this.ahead === 0) throw new WireError("5.5", `call ${sent.id} is withdrawn by a worker that takes none ahead`);
		this.#giveBack([sent]);
		this.callEnded();
	}

	/**
	 * Returns the open call that a message answers.
	 * @param begun the message may come only after a `head` (true), only before it (false), or at any
	 *   time (PROTOCOL 4.2)
	 */
	#find({ type, id }: { readonly type: string; readonly id: unknown }, begun?: boolean): WireCall {
		const sent = isCount(id) ? this.calls.get(id) : undefined;
		if (sent === undefined) throw new WireError("4.9", `${type} answers call ${JSON.stringify(id)}, which is not open`);
		if (begun !== undefined && sent.begun !== begun) {
			throw new WireError("4.2", `${type} of call ${sent.id} comes ${begun ? "before" : "after"} its head`);
		}
		return sent;
	}

	/** Like `#find`; the call is over with this message. */
	#end(message: { readonly type: string; readonly id: unknown }, begun?: boolean): WireCall {
		const sent = this.#find(message, begun);
		this.remove(sent);
		return sent;
	}

	#ready({ wire, concurrency, ahead, envelopes }: ReadyMessage): void {
		if (!this.reportedOnce()) throw new WireError("3.3", "ready or failed came twice");
		this.#envelopes = envelopes;
		if (wire === WIRE_VERSION) return this.loaded(concurrency, ahead);
		this.events.failed({
			code: "WIRE_VERSION",
			message: `the worker speaks wire version ${JSON.stringify(wire)}, this loader ${WIRE_VERSION}: use a loader and a worker of one release`,
		});
		this.kill("load_failed", "it speaks another version of the wire");
	}

	#log({ stream, id }: LogMessage, text: Buffer): void {
		const call = isCount(id) ? this.calls.get(id)?.call : undefined;
		const splitter = new LineSplitter((line, cut) => this.events.line(stream, line, call, cut));
		splitter.push(text);
		splitter.end();
	}

	/** The worker closed its end: no answer can come any more, even if the process runs on. */
	#wireEnded(): void {
		if (this.state === "dead") return;
		this.#wire.destroy();
		const timer = setTimeout(() => {
			this.kill("protocol", "it closed the wire and went on running (wire rule 1.3)");
		}, WIRE_CLOSED_GRACE_MS);
		this.child?.once("exit", () => clearTimeout(timer));
	}

	/** All that was on the wire has been read. */
	#wireClosed(): void {
		if (this.ended) this.onGone();
		else this.state = "retiring"; // the exit, which gives the reason, follows
	}
}
