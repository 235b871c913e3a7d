import { type DestinationStream, destination, type Logger, pino } from "pino";

/** Log bytes that wait for a slow reader at the most; what comes on top is dropped and counted. */
const MOST_WAITING = 4 * 1024 * 1024;
/** How long lines are gathered to be written together, in `ms`. */
const GATHER_MS = 50;
/** How long the last lines may take to be written, in `ms`. */
const LAST_WRITE_MS = 1000;
/** Gathered text this long is written at once, in `characters`. */
const GATHER_LENGTH = 16 * 1024;

/** Where log lines go: gathered for a moment, written without waiting, dropped rather than held without bound. */
export class LogStream implements DestinationStream {
	readonly #out: ReturnType<typeof destination>;
	#text = "";
	#timer: NodeJS.Timeout | undefined;

	/** told how many lines nobody will read */
	onDrop: (lines: number) => void = () => {};

	constructor(fd: number) {
		this.#out = destination({ fd, sync: false, maxLength: MOST_WAITING });
		this.#out.on("error", () => {}); // a closed pipe must not end the loader
		this.#out.on("drop", (text: string) => this.onDrop(text.split("\n").length - 1));
	}

	/** Takes whole lines. */
	write(lines: string): void {
		this.#text += lines;
		if (this.#text.length >= GATHER_LENGTH) this.#flush();
		else this.#timer ??= setTimeout(this.#flush, GATHER_MS);
	}

	/** Writes what is left and waits for it, but not for a reader that does not read. */
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
