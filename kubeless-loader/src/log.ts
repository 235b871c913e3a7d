import { type DestinationStream, destination, type Logger, pino } from "pino";

/** Bytes that may wait for a slow reader; further lines are dropped and counted. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long lines are gathered to be written together, in ms. */
const GATHER_MS = 50;
/** How long writing the last lines may take, in ms. */
const LAST_WRITE_MS = 1000;
/** Characters of gathered text that are written at once. */
const MAX_GATHERED = 16 * 1024;

/**
 * Writes log lines: gathered for a moment, without blocking, and dropped if the reader is too slow.
 */
export class LogStream implements DestinationStream {
	readonly #out: ReturnType<typeof destination>;
	#text = "";
	#timer: NodeJS.Timeout | undefined;

	/** called with the number of dropped lines */
	onDrop: (lines: number) => void = () => {};

	constructor(fd: number) {
		this.#out = destination({ fd, sync: false, maxLength: MAX_WAITING_BYTES });
		this.#out.on("error", () => {}); // a closed pipe must not end the loader
		this.#out.on("drop", (text: string) => this.onDrop(text.split("\n").length - 1));
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
			this.#out.flush(() => {
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
		this.#out.write(text);
	};
}

export function createLogger(level: string, stream: DestinationStream): Logger {
	return pino(
		{ level, base: null, formatters: { level: (label) => ({ level: label }) }, timestamp: pino.stdTimeFunctions.isoTime },
		stream,
	);
}
