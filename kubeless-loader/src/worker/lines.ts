import { StringDecoder } from "node:string_decoder";

/** A line longer than this many characters is logged in pieces. */
const MAX_LINE = 16 * 1024;

/** Cuts a stream of UTF-8 bytes into lines; the sink gets each without its line break. */
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
		while (this.#rest.length > MAX_LINE) {
			this.#sink(this.#rest.slice(0, MAX_LINE));
			this.#rest = this.#rest.slice(MAX_LINE);
		}
	}

	/** What the last line left without a line break. */
	end(): void {
		const rest = this.#rest + this.#decoder.end();
		this.#rest = "";
		if (rest !== "") this.#emit(rest);
	}

	#emit(line: string): void {
		const text = line.endsWith("\r") ? line.slice(0, -1) : line;
		if (text.length <= MAX_LINE) this.#sink(text);
		else for (let at = 0; at < text.length; at += MAX_LINE) this.#sink(text.slice(at, at + MAX_LINE));
	}
}
