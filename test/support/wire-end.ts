import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { type Frame as Decoded, Decoder } from "../../kubeless-loader/src/conform/decoder.ts";
import { encode, encodeCall } from "../../kubeless-loader/src/conform/encoder.ts";
import { type Startable, startWorker } from "../../kubeless-loader/src/conform/start.ts";
import type { FrameToSend } from "../../kubeless-loader/src/conform/vectors.ts";
import { folder } from "./loader.ts";
import type { Owner } from "./owner.ts";
import { Waiter } from "./waiter.ts";

/**
 * The limit of a wait for a frame, and the deadline of calls, in ms: only a hang reaches it. Go
 * compiles first.
 */
const PATIENCE_MS = 180_000;

/** The fields of a worker's lines (PROTOCOL.md, 3.2, 4 and 7.1). */
export interface Line {
	readonly type: string;
	readonly id?: number;
	readonly status?: number;
	readonly code?: string;
	readonly message?: string;
	readonly stack?: string;
	readonly stream?: string;
	readonly handler?: string;
	readonly handlers?: string[];
	readonly concurrency?: number;
}

export interface Frame extends Omit<Decoded, "line"> {
	readonly line: Line;
}

/** The fields of a call (4.1). Missing fields get the defaults of encodeCall(). */
export interface Call {
	readonly method?: string;
	readonly path?: string;
	readonly query?: string;
	readonly address?: string;
	readonly deadline?: number;
	readonly "event-id"?: string;
	readonly extensions?: Readonly<Record<string, string>>;
	readonly json?: true;
	/** header lines */
	readonly head?: string[];
	readonly body?: string | Buffer;
}

export interface Answer {
	readonly frames: readonly Frame[];
	/** the frames' types */
	readonly form: readonly string[];
	readonly status: number;
	/** by name in lower case; values of the same name are joined by " | " */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer;
	readonly text: string;
	readonly error: Line | undefined;
}

export type Files = Readonly<Record<string, string>>;
/** Variables by name; null removes one. */
export type Env = Readonly<Record<string, string | null>>;

/** Writes these files to a new folder. Returns the path of the first. */
export const firstOf = (owner: Owner, files: Files): string => join(folder(owner, files), Object.keys(files)[0] ?? "");

/**
 * The loader's end of a worker's wire: records all frames of the worker, and sends the frames that
 * a test defines.
 */
export class WireEnd {
	/** the folder of the function's file, which is also the install volume */
	readonly folder: string;
	readonly child: ChildProcess;
	readonly wire: Socket;
	readonly frames: Frame[] = [];
	/** resolves with the exit code or the signal's name, after the last output */
	readonly exited: Promise<number | string>;
	stdout = "";
	stderr = "";
	readonly #waiter = new Waiter("the worker", () => `${JSON.stringify(this.frames.map(({ line }) => line))} ${this.stderr}`);
	readonly #decoder = new Decoder();
	#lastId = 0;

	constructor(owner: Owner, { command, env }: Omit<Startable, "file">, file: string, handler: string, changes: Env = {}) {
		this.folder = dirname(file);
		const worker = { command, file, env: { ...env, KUBELESS_INSTALL_VOLUME: this.folder } };
		this.child = startWorker(worker, { handler, env: changes });
		owner.after(() => this.kill());
		this.exited = once(this.child, "close").then(([code, signal]) => code ?? signal);
		this.exited.then(() => this.#waiter.end());
		for (const stream of ["stdout", "stderr"] as const) {
			this.child[stream]?.setEncoding("utf8").on("data", (text: string) => {
				this[stream] += text;
				this.#waiter.notify();
			});
		}
		this.wire = this.child.stdio[3] as Socket;
		this.wire.on("error", () => {});
		// Throws if a frame breaks a rule. The exception is not caught, so that the test fails.
		this.wire.on("data", (chunk: Buffer) => {
			this.frames.push(...(this.#decoder.decode(chunk) as Iterable<Frame>));
			this.#waiter.notify();
		});
	}

	/** Resolves with the first frame that fits, from index `from` on, now or later. */
	until(fits: (frame: Frame) => boolean, from = 0): Promise<Frame> {
		return this.#waiter.until("the frame", () => this.frames.slice(from).find(fits), PATIENCE_MS);
	}

	/** Resolves with the first line, `ready` or `failed`. */
	async started(): Promise<Line> {
		return (await this.until(({ line }) => line.type === "ready" || line.type === "failed")).line;
	}

	async ready(): Promise<this> {
		const line = await this.started();
		assert.equal(line.type, "ready", JSON.stringify(line));
		return this;
	}

	/**
	 * Resolves with the `failed` line of a worker that cannot load its function, after the worker has
	 * ended.
	 */
	async failed(): Promise<Line> {
		const line = await this.started();
		assert.equal(line.type, "failed", JSON.stringify(line));
		assert.equal(await this.exited, 1);
		return line;
	}

	send(frame: FrameToSend): void {
		const { line, head, body } = encode(frame);
		this.wire.write(Buffer.concat([line, head, body]));
	}

	/** Sends a call. Returns its id. */
	begin({ body, ...fields }: Call = {}): number {
		this.#lastId += 1;
		const content = Buffer.isBuffer(body) ? { base64: body.toString("base64") } : body;
		const given = { ...fields, ...(content !== undefined && { body: content }) };
		const encoded = encodeCall({ id: this.#lastId, deadline: Date.now() + PATIENCE_MS, ...given });
		this.wire.write(Buffer.concat([encoded.line, encoded.head, encoded.body]));
		return this.#lastId;
	}

	async answer(id: number): Promise<Answer> {
		await this.until(({ line }) => line.id === id && ["result", "end", "error"].includes(line.type));
		const frames = this.frames.filter(({ line }) => line.id === id && line.type !== "log");
		const headers: Record<string, string> = {};
		for (const [name, value] of frames[0]?.head ?? []) {
			const key = name.toLowerCase();
			headers[key] = key in headers ? `${headers[key]} | ${value}` : value;
		}
		const body = Buffer.concat(frames.map((frame) => frame.body));
		return {
			frames,
			form: frames.map(({ line }) => line.type),
			status: frames[0]?.line.status ?? 200,
			headers,
			body,
			text: body.toString(),
			error: frames.find(({ line }) => line.type === "error")?.line,
		};
	}

	/** The answer to a call that is sent when the worker is ready. */
	async ask(call?: Call): Promise<Answer> {
		await this.ready();
		return this.answer(this.begin(call));
	}

	/** What came in log frames: of this call, of none (null), or of all. */
	printed(stream = "stdout", id?: number | null): string {
		return this.frames
			.filter(({ line }) => line.type === "log" && line.stream === stream && (id === undefined || line.id === (id ?? undefined)))
			.map(({ body }) => body.toString())
			.join("");
	}

	/** Sends `stop`. */
	stop(): Promise<number | string> {
		this.send({ type: "stop" });
		return this.exited;
	}

	/** Ends it, and what it has started. */
	kill(): void {
		try {
			process.kill(-(this.child.pid as number), "SIGKILL");
		} catch {
			// The group is gone already.
		}
	}
}
