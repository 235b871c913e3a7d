import { once } from "node:events";
import net from "node:net";
import { Waiter } from "./waiter.ts";

/**
 * A plain TCP connection to a loader: what HTTP clients would not send, and what they would not
 * show.
 */
export class WireTap {
	readonly socket: net.Socket;
	readonly #waiter = new Waiter("the connection", () => JSON.stringify(this.text.slice(-500)));
	#bytes = Buffer.alloc(0);

	constructor(socket: net.Socket) {
		this.socket = socket;
		socket.on("data", (chunk: Buffer) => {
			this.#bytes = Buffer.concat([this.#bytes, chunk]);
			this.#waiter.notify();
		});
		socket.on("error", () => {});
		for (const event of ["end", "close"]) socket.on(event, () => this.#waiter.end());
	}

	static async open(port: number, owner: { after(clear: () => void): void }): Promise<WireTap> {
		const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
		owner.after(() => void socket.destroy());
		await once(socket, "connect");
		return new WireTap(socket);
	}

	get text(): string {
		return this.#bytes.toString("latin1");
	}

	get ended(): boolean {
		return this.#waiter.over;
	}

	write(bytes: string | Buffer): this {
		this.socket.write(bytes);
		return this;
	}

	/** The text up to now, once it fits. @throws when the connection ends before that */
	until(pattern: RegExp, ms = 20_000): Promise<string> {
		return this.#waiter.until(String(pattern), () => (pattern.test(this.text) ? this.text : undefined), ms);
	}

	/** All that came until the other side closed. */
	untilEnd(ms = 20_000): Promise<string> {
		return this.#waiter.until("end of the connection", () => (this.ended ? this.text : undefined), ms);
	}
}
