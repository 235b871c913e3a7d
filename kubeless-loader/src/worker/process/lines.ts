import { StringDecoder } from "node:string_decoder";

/** Characters of a line; a longer one is logged in pieces. */
const MAX_LINE_LENGTH = 16 * 1024;

/**
 * Receives a line without its line break; `cut`: the line is too long, and the next piece continues
 * it.
 */
export type LineSink = (line: string, cut: boolean) => void;

/** Splits a stream of UTF-8 bytes into lines. */
export class LineSplitter {
	readonly #sink: LineSink;
	readonly #decoder = new StringDecoder("utf8");
	#rest = "";

	constructor(sink: LineSink) {
		this.#sink = sink;
	}

	push(bytes: Buffer): void {
		const lines = (this.#rest + this.#decoder.write(bytes)).split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) this.#emit(line);
		while (this.#rest.length > MAX_LINE_LENGTH) {
			this.#sink(this.#rest.slice(0, MAX_LINE_LENGTH), true);
			this.#rest = this.#rest.slice(MAX_LINE_LENGTH);
		}
	}

	/** Emits the last line if it has no line break. */
	end(): void {
		const rest = this.#rest + this.#decoder.end();
		this.#rest = "";
		if (rest !== "") this.#emit(rest);
	}

	#emit(line: string): void {
		const text = line.endsWith("\r") ? line.slice(0, -1) : line;
		for (let at = 0; ; at += MAX_LINE_LENGTH) {
			const cut = text.length - at > MAX_LINE_LENGTH;
			this.#sink(cut ? text.slice(at, at + MAX_LINE_LENGTH) : text.slice(at), cut);
			if (!cut) return;
		}
	}
}
