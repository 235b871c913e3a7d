import { once } from "node:events";
import net from "node:net";

/** A plain TCP connection to a loader: what HTTP clients would not send, and what they would not show. */
export class WireTap {
	readonly socket: net.Socket;
	#bytes = Buffer.alloc(0);
	#ended = false;
	#heard: (() => void)[] = [];

	constructor(socket: net.Socket) {
		this.socket = socket;
		socket.on("data", (chunk: Buffer) => {
			this.#bytes = Buffer.concat([this.#bytes, chunk]);
			this.#tell();
		});
		socket.on("error", () => {});
		for (const event of ["end", "close"]) {
			socket.on(event, () => {
				this.#ended = true;
				this.#tell();
			});
		}
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
		return this.#ended;
	}

	write(bytes: string | Buffer): this {
		this.socket.write(bytes);
		return this;
	}

	/** The text up to now, once it fits. @throws when the connection ends before that */
	async until(pattern: RegExp, ms = 20_000): Promise<string> {
		const deadline = Date.now() + ms;
		while (!pattern.test(this.text)) {
			if (this.#ended) throw new Error(`the connection ended before ${pattern}: ${JSON.stringify(this.text.slice(-500))}`);
			if (Date.now() > deadline) throw new Error(`no ${pattern} within ${ms} ms: ${JSON.stringify(this.text.slice(-500))}`);
			await this.#next(deadline - Date.now());
		}
		return this.text;
	}

	/** All that came until the other side closed. */
	async untilEnd(ms = 20_000): Promise<string> {
		const deadline = Date.now() + ms;
		while (!this.#ended) {
			if (Date.now() > deadline) throw new Error(`the connection did not end within ${ms} ms: ${JSON.stringify(this.text.slice(-500))}`);
			await this.#next(deadline - Date.now());
		}
		return this.text;
	}

	#next(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms + 1);
			this.#heard.push(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}

	#tell(): void {
		for (const heard of this.#heard.splice(0)) heard();
	}
}
