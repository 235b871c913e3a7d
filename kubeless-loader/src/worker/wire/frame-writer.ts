import type { Writable } from "node:stream";

/**
 * Bodies up to this many bytes are copied into the text: that costs less than a write of their own.
 */
export const MAX_COPIED_BODY = 4096;
/** Characters of text that are written at once: gathering more saves nothing. */
const MAX_TEXT = 64 * 1024;

/** Frames out: all frames of one turn of the event loop go to the socket in one write. */
export class FrameWriter {
	readonly #socket: Writable;
	#text = "";
	#scheduled = false;

	constructor(socket: Writable) {
		this.#socket = socket;
	}

	/**
	 * @param lineAndHead in ISO-8859-1 (PROTOCOL 2.5, 2.6), with the `\n` of the line
	 * @param body at most MAX_COPIED_BODY bytes
	 */
	send(lineAndHead: string, body?: readonly Buffer[]): void {
		this.#text += lineAndHead;
		if (body !== undefined) for (const part of body) this.#text += part.toString("latin1");
		if (this.#text.length >= MAX_TEXT) this.#write();
		else if (!this.#scheduled) {
			this.#scheduled = true;
			// Runs after the sockets that are ready now were read, so that their calls go out together.
			setImmediate(this.#turn);
		}
	}

	/**
	 * Sends a frame with a larger body; `written` is called when the socket does not hold the body any
	 * more.
	 */
	sendLarge(lineAndHead: string, body: readonly Buffer[], written: () => void): void {
		this.#text += lineAndHead;
		const socket = this.#socket;
		socket.cork();
		this.#write();
		const last = body.length - 1;
		for (let index = 0; index < last; index++) socket.write(body[index]);
		socket.write(body[last], written);
		socket.uncork();
	}

	/** Writes the gathered text now; `then` is called when the system has accepted all of it. */
	flush(then: () => void): void {
		const text = this.#text;
		this.#text = "";
		this.#socket.write(text, "latin1", (error) => error ?? then());
	}

	#turn = (): void => {
		this.#scheduled = false;
		this.#write();
	};

	#write(): void {
		if (this.#text === "") return;
		const text = this.#text;
		this.#text = "";
		this.#socket.write(text, "latin1");
	}
}
