import { type Frame, type Header, isCount } from "./decoder.ts";
import { Fault } from "./fault.ts";

/** A call and its answer so far. */
export interface Call {
	readonly id: number;
	/** its frames that no `expect` step has taken yet */
	readonly frames: Frame[];
	readonly chunks: Buffer[];
	form: "result" | "chunks" | "error" | "withdrawn" | undefined;
	/**
	 * true: the worker may give the call back, because it was sent ahead or a `withdraw` followed
	 * (5.5)
	 */
	behind: boolean;
	status: number;
	head: readonly Header[];
	error: Frame["line"] | undefined;
	over: boolean;
	/** the time of its last frame, in ms since 1970 */
	lastAt: number;
}

const ERROR_CODES = ["FUNCTION_THREW", "BODY_MALFORMED", "RESULT_INVALID", "CANCELLED"]; // 4.6
const FAILED_CODES = ["HANDLER_NOT_FOUND", "HANDLER_FAILED_TO_LOAD"]; // 3.2

/** The state of one wire: checks that each frame is allowed at its time, and keeps the answers. */
export class Conversation {
	/** the worker's `ready` or `failed` frame */
	started: Frame | undefined;
	readonly calls = new Map<number, Call>();
	/** ids in the order in which their answers ended */
	readonly answered: number[] = [];
	/** the text of `log` frames, by stream */
	readonly logged = { stdout: "", stderr: "" };

	get open(): number {
		return this.calls.size - this.answered.length;
	}

	#lastId = 0;

	/** Registers a call that was sent. */
	call(id: number): void {
		if (id <= this.#lastId) throw new Error(`This vector's ids do not rise: ${id} comes after ${this.#lastId} (4.1).`);
		this.#lastId = id;
		this.calls.set(id, {
			id,
			frames: [],
			chunks: [],
			form: undefined,
			behind: this.open > 0,
			status: 200,
			head: [],
			error: undefined,
			over: false,
			lastAt: 0,
		});
	}

	/** Registers a `withdraw` that was sent. */
	withdraw(): void {
		for (const call of this.calls.values()) call.behind = true;
	}

	get envelopes(): boolean {
		return this.started?.line["envelopes"] === true;
	}

	/** calls beyond its concurrency that the worker accepts */
	get ahead(): number {
		return (this.started?.line["ahead"] as number | undefined) ?? 0;
	}

	/** @throws {Fault} if the frame may not come, or not now */
	take(frame: Frame): void {
		const { type } = frame.line;
		if (type === "log") return this.#log(frame);
		if (type === "ready" || type === "failed") return this.#start(frame);
		const rule = RULE_OF[type];
		if (rule === undefined) throw new Fault("2.2", `a worker does not send frames of type ${JSON.stringify(type)}`);
		if (this.started?.line.type !== "ready") throw new Fault("3.2", `${type} came ${this.started ? "after failed" : "before ready"}`);
		if (type === "withdrawn" && this.ahead === 0) throw new Fault("5.5", "withdrawn came from a worker whose ready has no ahead");
		const call = this.#find(frame, rule);
		call.lastAt = frame.at;
		call.frames.push(frame);
		ANSWER[type]?.(call, frame);
		if (call.over) this.answered.push(call.id);
	}

	#start(frame: Frame): void {
		if (this.started) throw new Fault("3.3", `${frame.line.type} came after ${this.started.line.type}`);
		this.started = frame;
		const { type, wire, handler, concurrency, ahead, envelopes, code, message, stack, handlers } = frame.line;
		const wants = (fits: boolean, what: string) => {
			if (!fits) throw new Fault("3.2", `${type} must have ${what}: ${JSON.stringify(frame.line).slice(0, 300)}`);
		};
		if (type === "ready") {
			wants(wire === 1, "wire 1");
			wants(typeof handler === "string" && handler !== "", "the handler's name");
			wants(concurrency === undefined || (isCount(concurrency) && concurrency > 0), "a concurrency from 1 on, or none");
			wants(envelopes === undefined || typeof envelopes === "boolean", "envelopes that is true or false, or none");
			wants(ahead === undefined || isCount(ahead), "an ahead that is a count, or none");
		} else {
			wants(FAILED_CODES.includes(code as string), `one of the codes ${FAILED_CODES.join(", ")}`);
			wants(typeof message === "string" && message !== "", "a message");
			wants(stack === undefined || typeof stack === "string", "a stack that is text, or none");
			const names = Array.isArray(handlers) && handlers.every((name) => typeof name === "string");
			wants(code !== "HANDLER_NOT_FOUND" || names, "the list handlers");
		}
	}

	#log(frame: Frame): void {
		const { stream, id } = frame.line;
		if (stream !== "stdout" && stream !== "stderr") throw new Fault("7.1", `the stream of log is ${JSON.stringify(stream)}`);
		if (id !== undefined && !isCount(id)) throw new Fault("2.3", `the id of log is ${JSON.stringify(id)}`);
		if (isCount(id)) {
			const call = this.calls.get(id);
			if (call === undefined) throw new Fault("7.1", `log names call ${id}, which was never sent`);
			if (call.over) throw new Fault("7.1", `log names call ${id}, whose answer has ended`);
		}
		const text = frame.body.toString();
		if (!frame.body.equals(Buffer.from(text))) throw new Fault("7.1", "the body of log is not UTF-8");
		this.logged[stream] += text.endsWith("\n") ? text : `${text}\n`;
	}

	#find(frame: Frame, rule: string): Call {
		const { type, id } = frame.line;
		if (id === undefined) throw new Fault(rule, `${type} has no id`);
		if (!isCount(id)) throw new Fault("2.3", `the id of ${type} is ${JSON.stringify(id)}`);
		const call = this.calls.get(id);
		if (call === undefined) throw new Fault("4.9", `${type} answers call ${id}, which was never sent`);
		if (call.over) throw new Fault("4.9", `${type} answers call ${id}, whose answer has ended`);
		return call;
	}
}

const RULE_OF: Record<string, string> = { result: "4.4", head: "4.5", chunk: "4.5", end: "4.5", error: "4.6", withdrawn: "5.5" };

const ANSWER: Record<string, (call: Call, frame: Frame) => void> = {
	result(call, frame) {
		begin(call, frame, "result");
		call.chunks.push(frame.body);
		call.over = true;
	},
	head(call, frame) {
		begin(call, frame, "chunks");
	},
	chunk(call, frame) {
		if (call.form !== "chunks") throw new Fault("4.2", `chunk of call ${call.id} came before its head`);
		call.chunks.push(frame.body);
		keepLength(call, (sent, said) => sent <= said);
	},
	end(call) {
		if (call.form !== "chunks") throw new Fault("4.2", `end of call ${call.id} came before its head`);
		keepLength(call, (sent, said) => sent === said);
		call.over = true;
	},
	error(call, frame) {
		const { code = "FUNCTION_THREW", message, stack } = frame.line;
		const wants = (fits: boolean, what: string) => {
			if (!fits) throw new Fault("4.6", `error of call ${call.id} must have ${what}: ${JSON.stringify(frame.line).slice(0, 300)}`);
		};
		wants(ERROR_CODES.includes(code as string), `one of the codes ${ERROR_CODES.join(", ")}`);
		wants(typeof message === "string", "a message");
		wants(stack === undefined || typeof stack === "string", "a stack that is text, or none");
		call.form = "error";
		call.error = frame.line;
		call.over = true;
	},
	withdrawn(call) {
		if (call.form) throw new Fault("5.5", `withdrawn of call ${call.id} came after its head`);
		if (!call.behind) throw new Fault("5.5", `call ${call.id} was withdrawn, without an open call before it and without a withdraw frame`);
		call.form = "withdrawn";
		call.over = true;
	},
};

function begin(call: Call, frame: Frame, form: "result" | "chunks"): void {
	const { type, status = 200 } = frame.line;
	if (call.form) throw new Fault("4.2", `${type} of call ${call.id} came after its head`);
	// A status 1xx is interim and not an answer (RFC 9110 15.2).
	if (!isCount(status) || status < 200 || status > 999) {
		throw new Fault(form === "result" ? "4.4" : "4.5", `the status of ${type} of call ${call.id} is ${JSON.stringify(status)}`);
	}
	call.form = form;
	call.status = status;
	call.head = frame.head;
}

function keepLength(call: Call, fits: (sent: number, said: number) => boolean): void {
	const said = call.head.find(([name]) => name.toLowerCase() === "content-length")?.[1];
	if (said === undefined) return;
	const sent = call.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
	if (!fits(sent, Number(said))) throw new Fault("4.5", `call ${call.id} said Content-Length ${said} and sent ${sent} bytes`);
}
