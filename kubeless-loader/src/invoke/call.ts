// One call, from the request to the answer: its state, its deadline, and the order of its end.
// response.ts writes its answer, outcome.ts counts and logs how it ended.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { FAULTS, type FaultCode } from "../errors.ts";
import type { MethodSeries } from "../metrics.ts";
import type { PoolCall } from "../pool/pool-call.ts";
import type { Answer, AnswerFault, Head, HeldBody, SentCall } from "../worker/contract.ts";
import { accessLine } from "./access-log.ts";
import type { ByteBudget } from "./body.ts";
import { callerAddress } from "./caller-address.ts";
import { originForm, type RequestHead, readHead } from "./event.ts";
import type { CallHost } from "./host.ts";
import { countRun, isCut, logFault, retryAfter } from "./outcome.ts";
import { CallerResponse } from "./response.ts";
import type { RequestUpload } from "./upload.ts";

/**
 * - `reading`: the body is being read
 * - `queued`: waits for a worker
 * - `sent`: a worker holds it
 * - `answering`: the beginning of a streamed answer was sent
 * - `over`: it was answered, or its caller has gone
 */
type State = "reading" | "queued" | "sent" | "answering" | "over";

const NO_HEAD = readHead([]);
const expire = (call: Call): void => call.expire();

/** A call ends once: after that, all that its worker or its caller still does is ignored. */
export class Call implements PoolCall, Answer {
	readonly #host: CallHost;
	readonly #request: IncomingMessage;
	readonly #caller: CallerResponse;
	readonly #series: MethodSeries;
	#state: State = "reading";
	#timer: NodeJS.Timeout | undefined;
	/** bytes reserved in the budget */
	#reserved = 0;

	event: RequestHead = NO_HEAD;
	deadline = 0;
	body: HeldBody | undefined;
	upload: RequestUpload | undefined;
	upgrade: string | undefined;
	readonly answer: Answer = this;
	queuedAt = 0;
	sentAt = 0;
	sent: SentCall | undefined;

	constructor(host: CallHost, request: IncomingMessage, response: ServerResponse) {
		this.#host = host;
		this.#request = request;
		this.#caller = new CallerResponse(request, response, host.budget);
		this.#series = host.metrics.of(request.method as string);
		host.metrics.inFlight++;
		host.unsent++;
		response.once("close", () => {
			host.unsent--;
			this.#caller.releaseUnread();
			this.#callerGone();
		});
	}

	get method(): string {
		return this.#request.method as string;
	}

	get url(): string {
		return originForm(this.#request.url as string);
	}

	get headers(): readonly string[] {
		return this.#request.rawHeaders;
	}

	get address(): string {
		return callerAddress(this.#request.socket);
	}

	/** True if the limit of open WebSockets has room for one. */
	get mayUpgrade(): boolean {
		return this.#host.metrics.webSockets < this.#host.maxWebSockets;
	}

	get over(): boolean {
		return this.#state === "over";
	}

	get queued(): boolean {
		return this.#state === "queued";
	}

	/** Takes the body; `reserved` bytes of the budget are released at the end of the call. */
	takeBody(body: HeldBody | undefined, reserved: number): void {
		this.body = body;
		this.#reserved = reserved;
	}

	/** Submits the call to the pool; from here on the time limit runs. */
	begin(): void {
		if (this.#state === "over") return;
		const { pool, timeoutMs } = this.#host;
		this.queuedAt = performance.now();
		this.deadline = Date.now() + timeoutMs;
		this.#timer = setTimeout(expire, timeoutMs, this);
		pool.submit(this);
	}

	toQueue(): void {
		this.#state = "queued";
	}

	toWorker(): void {
		this.#state = "sent";
		this.sentAt = performance.now();
	}

	result(status: number, head: Head, bytes: Buffer, start: number, end: number): void {
		if (this.#state === "over") return;
		try {
			this.#caller.result(status, head, bytes, start, end, this.#host.draining);
		} catch (cause) {
			return this.fail("RESULT_INVALID", (cause as Error).message);
		}
		this.#finish(undefined);
	}

	head(status: number, head: Head): void {
		if (this.#state === "over") return;
		try {
			this.#caller.head(status, head, this.#host.draining);
		} catch (cause) {
			return this.fail("RESULT_INVALID", (cause as Error).message);
		}
		this.#state = "answering";
		if (!this.#caller.bodiless) return;
		// The rest would not be sent.
		this.#host.pool.cancel(this);
		this.end();
	}

	chunk(bytes: Buffer): boolean {
		if (this.#state === "over") return true;
		try {
			if (this.#caller.chunk(bytes)) return true;
		} catch (cause) {
			this.fail("RESULT_INVALID", (cause as Error).message);
			return true;
		}
		this.#caller.onceDrained(() => this.#host.pool.resume(this));
		return false;
	}

	get memoryFull(): boolean {
		return !this.#host.budget.hasRoom(0);
	}

	end(trailers?: readonly string[]): void {
		if (this.#state === "over") return;
		try {
			this.#caller.end(trailers);
		} catch (cause) {
			return this.fail("RESULT_INVALID", (cause as Error).message);
		}
		this.#finish(undefined);
	}

	upgraded(head: readonly string[], connection: Duplex): void {
		const host = this.#host;
		if (this.#state === "over" || !this.#caller.connected) return void connection.destroy();
		if (!this.mayUpgrade) {
			connection.destroy();
			return this.refuse("TOO_MANY_WEBSOCKETS");
		}
		host.metrics.webSockets++;
		// Draining waits for the connection, although the call is over.
		this.#caller.upgrade(head, connection, () => {
			host.metrics.webSockets--;
			host.unsent--;
		});
		this.#finish(undefined);
	}

	fail(code: AnswerFault | FaultCode, message: string, stack?: string): void {
		if (this.#state === "over") return;
		const { log, showErrors } = this.#host;
		const { status, blame, body } = FAULTS[code];
		if (blame !== "caller") logFault(log, code, this, message || body, stack);
		this.#refuse(code, status, showErrors && message !== "" ? `${stack ?? message}\n` : body);
		this.#finish(code);
	}

	/** Answers a call that gets no worker. */
	refuse(code: FaultCode, body: string = FAULTS[code].body): void {
		if (this.#state === "over") return;
		const { status } = FAULTS[code];
		this.#host.metrics.rejected(code);
		this.#refuse(code, status, body);
		this.#finish(code);
	}

	/** More bytes came than the limit allows; some of them may be with the function. */
	tooLarge(): void {
		this.#host.pool.cancel(this);
		this.refuse("BODY_TOO_LARGE");
	}

	/** Ends the call because its time is over. */
	expire(): void {
		if (this.#state === "over") return;
		const { pool, metrics } = this.#host;
		if (this.queued) {
			pool.cancel(this);
			return this.refuse("OVERLOADED");
		}
		pool.expire(this);
		metrics.timedOut();
		this.fail("FUNCTION_TIMED_OUT", "the function did not answer in time");
	}

	/** True once a worker holds the call, or has held it: the function may have run. */
	get #reachedWorker(): boolean {
		return this.#state === "sent" || this.#state === "answering";
	}

	#refuse(code: FaultCode, status: number, body: string): void {
		const { draining, pool } = this.#host;
		this.#caller.refuse({
			status,
			body,
			// Callers may send the call again if they find this header: the function has not run.
			refused: this.#reachedWorker ? undefined : code,
			retryAfterS: status === 503 ? retryAfter(code === "QUEUE_FULL" || code === "OVERLOADED" ? pool.waitMs : 0) : undefined,
			draining,
			declared: this.event.length,
		});
	}

	/** Releases the body's bytes: when no socket holds them any more. */
	#release(budget: ByteBudget, bytes: number): void {
		if (this.sent === undefined) budget.release(bytes);
		else this.sent.onceWritten(() => budget.release(bytes));
	}

	#callerGone(): void {
		if (this.#state === "over") return;
		this.#host.pool.cancel(this);
		this.#caller.status = FAULTS.CALLER_GONE.status;
		this.#finish("CALLER_GONE");
	}

	#finish(fault: FaultCode | undefined): void {
		const reachedWorker = this.#reachedWorker;
		this.#state = "over";
		const { access, budget, metrics } = this.#host;
		const { status, bytes } = this.#caller;
		clearTimeout(this.#timer);
		if (this.#reserved > 0) this.#release(budget, this.#reserved);
		const requestBytes = this.upload !== undefined ? this.upload.leave() : (this.body?.length ?? 0);
		metrics.inFlight--;
		if (access) access.write(accessLine(this.#request, this.event, status, bytes));
		if (!reachedWorker) return;
		const ms = performance.now() - this.sentAt;
		this.#host.pool.took(ms, fault !== undefined && isCut(fault));
		// A malformed body did not reach the function.
		if (fault === "BODY_MALFORMED") return;
		countRun(metrics, this.#series, fault, ms, this.sentAt - this.queuedAt, requestBytes, status, bytes);
	}
}
