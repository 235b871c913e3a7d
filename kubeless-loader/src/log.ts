import { createWriteStream, fstatSync } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { type DestinationStream, type Logger, pino } from "pino";

/** Bytes that may wait for a slow reader; further lines are dropped and counted. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long lines are gathered to be written together, in ms. */
const GATHER_MS = 50;
/** How long writing the last lines may take, in ms. */
const LAST_WRITE_MS = 1000;
/** Characters of gathered text that are written at once. */
const MAX_GATHERED = 16 * 1024;

/**
 * Opens a file descriptor for writing. A pipe or a socket whose reader does not read must not
 * block: a thread that waits in a write would keep the process from exiting, so libuv's
 * non-blocking writes are used for them.
 */
function openOutput(fd: number): Writable {
	try {
		const stats = fstatSync(fd);
		if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: false, writable: true });
		return createWriteStream("", { fd, autoClose: false });
	} catch {
		return new Writable({ write: (_bytes, _encoding, done) => done() }); // it is closed
	}
}

/**
 * Writes log lines: gathered for a moment, without blocking, and dropped if the reader is too slow.
 */
export class LogStream implements DestinationStream {
	readonly #out: Writable;
	#text = "";
	#timer: NodeJS.Timeout | undefined;

	/** called with the number of dropped lines */
	onDrop: (lines: number) => void = () => {};

	constructor(fd: number) {
		this.#out = openOutput(fd);
		this.#out.on("error", () => {}); // a closed pipe must not end the loader
	}

	/** @param lines whole lines */
	write(lines: string): void {
		this.#text += lines;
		if (this.#text.length >= MAX_GATHERED) this.#flush();
		else this.#timer ??= setTimeout(this.#flush, GATHER_MS);
	}

	/** Writes the remaining lines; does not wait for a reader that does not read. */
	end(): Promise<void> {
		this.#flush();
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, LAST_WRITE_MS);
			this.#out.write("", () => {
				clearTimeout(timer);
				resolve();
			});
		});
	}

	#flush = (): void => {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#text === "") return;
		const text = this.#text;
		this.#text = "";
		if (this.#out.writableLength + text.length <= MAX_WAITING_BYTES) this.#out.write(text);
		else this.onDrop(text.split("\n").length - 1);
	};
}

export function createLogger(level: string, stream: DestinationStream): Logger {
	return pino(
		{ level, base: null, formatters: { level: (label) => ({ level: label }) }, timestamp: pino.stdTimeFunctions.isoTime },
		stream,
	);
}
