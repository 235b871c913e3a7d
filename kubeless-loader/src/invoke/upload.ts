import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Upload } from "../worker/contract.ts";
import { discard } from "./body.ts";

/** Bytes of a body that are read ahead of the worker. */
const READ_AHEAD_BYTES = 64 * 1024;

/**
 * A request's body that is passed on while it arrives: it is read as fast as the worker reads it.
 */
export class RequestUpload extends Readable implements Upload {
	readonly declared: number;
	readonly #request: IncomingMessage;
	readonly #limit: number;
	readonly #tooLarge: () => void;
	#bytes = 0;
	#reading = false;

	/**
	 * @param tooLarge called when more than `limit` bytes have come; bytes over the limit are not
	 * passed on
	 */
	constructor(request: IncomingMessage, declared: number, limit: number, tooLarge: () => void) {
		super({ highWaterMark: READ_AHEAD_BYTES });
		this.declared = declared;
		this.#request = request;
		this.#limit = limit;
		this.#tooLarge = tooLarge;
	}

	override _read(): void {
		const request = this.#request;
		if (!this.#reading) {
			this.#reading = true;
			request.on("data", this.#take);
			request.on("end", this.#end);
			request.on("close", this.#broken);
		}
		request.resume();
	}

	hold(): void {
		this.#request.pause();
		this.#request.off("data", this.#take);
		this.#request.off("end", this.#end);
		this.pause();
	}

	/** Stops the upload and discards the rest of the body. Returns the bytes that were passed on. */
	leave(): number {
		const request = this.#request;
		if (!request.complete && !request.destroyed) {
			this.hold();
			discard(request);
		}
		return this.#bytes;
	}

	override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
		const request = this.#request;
		request.off("data", this.#take);
		request.off("end", this.#end);
		request.off("close", this.#broken);
		done(); // an error would have no listener
	}

	#take = (chunk: Buffer): void => {
		this.#bytes += chunk.length;
		if (this.#bytes > this.#limit) {
			this.hold();
			this.#tooLarge();
		} else if (!this.push(chunk)) this.#request.pause();
	};

	#end = (): void => {
		this.push(null);
	};

	#broken = (): void => {
		if (!this.#request.complete) this.destroy();
	};
}
