import { StringDecoder } from "node:string_decoder";

/** Characters of a line; a longer one is logged in pieces. */
const MAX_LINE_LENGTH = 16 * 1024;

/** Splits a stream of UTF-8 bytes into lines; the sink receives each without its line break. */
export class LineSplitter {
	readonly #sink: (line: string) => void;
	readonly #decoder = new StringDecoder("utf8");
	#rest = "";

	constructor(sink: (line: string) => void) {
		this.#sink = sink;
	}

	push(bytes: Buffer): void {
		const lines = (this.#rest + this.#decoder.write(bytes)).split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) this.#emit(line);
		while (this.#rest.length > MAX_LINE_LENGTH) {
			this.#sink(this.#rest.slice(0, MAX_LINE_LENGTH));
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
		if (text.length <= MAX_LINE_LENGTH) this.#sink(text);
		else for (let at = 0; at < text.length; at += MAX_LINE_LENGTH) this.#sink(text.slice(at, at + MAX_LINE_LENGTH));
	}
}
