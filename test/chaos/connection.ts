import { once } from "node:events";
import net from "node:net";
import type { SentCall } from "./ledger.ts";
import { type Response, Responses } from "./responses.ts";

/** How long an answer may take, in ms. Only a call that is never answered takes as long. */
const PATIENCE_MS = 60_000;

/**
 * What a caller sees next: an answer, complete or not; the end of the connection; or nothing
 * within the limit.
 */
export type Seen = Response | "closed" | "nothing";

/** A caller's connection, without an HTTP client, which would not send what these callers send. */
export class Connection {
	/** the call that was sent last */
	latest: SentCall | undefined;
	readonly #socket: net.Socket;
	readonly #responses = new Responses();
	#closed = false;
	#cut: Response | undefined;
	#changed = Promise.withResolvers<void>();

	private constructor(socket: net.Socket) {
		this.#socket = socket;
		socket.on("data", (bytes: Buffer) => {
			this.#responses.push(bytes);
			this.#change();
		});
		socket.on("end", () => this.#end(true));
		socket.on("error", () => this.#end(false));
		socket.on("close", () => this.#end(false));
	}

	/** Returns undefined if the loader does not listen. */
	static async open(port: number): Promise<Connection | undefined> {
		const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
		try {
			await once(socket, "connect");
		} catch {
			return undefined;
		}
		return new Connection(socket);
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** True if the next answer has begun, or the connection has ended. */
	get begun(): boolean {
		return this.#closed || this.#responses.begun;
	}

	/** Resolves when the operating system has taken the bytes, or the connection has ended. */
	write(bytes: Buffer): Promise<void> {
		if (this.#closed) return Promise.resolve();
		return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
	}

	/** Closes this side; the answers still come. */
	shut(): void {
		this.#socket.end();
	}

	leave(how: "close" | "reset"): void {
		this.#closed = true;
		if (how === "reset") this.#socket.resetAndDestroy();
		else this.#socket.destroy();
	}

	/** Stops reading for `ms`. */
	rest(ms: number): void {
		this.#socket.pause();
		setTimeout(() => this.#socket.resume(), ms);
	}

	async next(): Promise<Seen> {
		const deadline = performance.now() + PATIENCE_MS;
		for (;;) {
			const next = this.#responses.shift() ?? this.#cut;
			if (next !== undefined) return next;
			if (this.#closed) return "closed";
			const left = deadline - performance.now();
			if (left <= 0) return "nothing";
			const timer = setTimeout(() => this.#change(), left);
			await this.#changed.promise;
			clearTimeout(timer);
		}
	}

	#end(orderly: boolean): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#cut = this.#responses.end(orderly);
		this.#socket.destroy();
		this.#change();
	}

	#change(): void {
		this.#changed.resolve();
		this.#changed = Promise.withResolvers();
	}
}
