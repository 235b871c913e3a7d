/** An answer as it came over a connection. */
export interface Response {
	readonly status: number;
	/** by lower-case name */
	readonly headers: ReadonlyMap<string, string>;
	readonly body: string;
	/** false: the connection ended before the answer did */
	readonly complete: boolean;
	/** only the end of the connection ended the answer (HTTP/1.0) */
	readonly unmeasured?: boolean;
}

type Head = Pick<Response, "status" | "headers">;

const HEAD_END = "\r\n\r\n";

/**
 * Reads the answers of one connection, in order. Bytes are characters (latin1). Interim answers
 * (1xx) are left out.
 */
export class Responses {
	/** complete answers that were not taken yet */
	readonly #complete: Response[] = [];
	#rest = "";
	#head: Head | undefined;

	push(bytes: Buffer): void {
		this.#rest += bytes.toString("latin1");
		while (this.#next());
	}

	/** Returns the next complete answer, if there is one. */
	shift(): Response | undefined {
		return this.#complete.shift();
	}

	/** True if the next answer, or a part of it, has come. */
	get begun(): boolean {
		return this.#complete.length > 0 || this.#head !== undefined || this.#rest !== "";
	}

	/**
	 * The connection ended: returns the answer that is incomplete, or that only this end completes.
	 */
	end(orderly: boolean): Response | undefined {
		const head = this.#head;
		if (head === undefined) return undefined;
		this.#head = undefined;
		const unmeasured = !isChunked(head) && !head.headers.has("content-length");
		return { ...head, body: this.#rest, complete: orderly && unmeasured, unmeasured };
	}

	#next(): boolean {
		const head = this.#head ?? this.#readHead();
		if (head === undefined) return false;
		const body = this.#readBody(head);
		this.#head = body === undefined ? head : undefined;
		if (body === undefined) return false;
		this.#complete.push({ ...head, body, complete: true });
		return true;
	}

	#readHead(): Head | undefined {
		for (;;) {
			const end = this.#rest.indexOf(HEAD_END);
			if (end < 0) return undefined;
			const [first = "", ...lines] = this.#rest.slice(0, end).split("\r\n");
			this.#rest = this.#rest.slice(end + HEAD_END.length);
			const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1]);
			if (Number.isNaN(status)) throw new Error(`not a status line: ${JSON.stringify(first)}`);
			if (status >= 200) return { status, headers: new Map(lines.map(field)) };
		}
	}

	/** Returns undefined while the body is incomplete. */
	#readBody(head: Head): string | undefined {
		if (isChunked(head)) return this.#readChunks();
		const length = Number(head.headers.get("content-length"));
		if (Number.isNaN(length) || this.#rest.length < length) return undefined;
		return this.#take(length);
	}

	#readChunks(): string | undefined {
		let body = "";
		for (let at = 0; ; ) {
			const end = this.#rest.indexOf("\r\n", at);
			if (end < 0) return undefined;
			const size = Number.parseInt(this.#rest.slice(at, end), 16);
			if (Number.isNaN(size)) throw new Error(`not a chunk: ${JSON.stringify(this.#rest.slice(at, at + 80))}`);
			const next = end + 2 + size + 2;
			if (this.#rest.length < next) return undefined;
			body += this.#rest.slice(end + 2, end + 2 + size);
			at = next;
			if (size === 0) {
				this.#take(at);
				return body;
			}
		}
	}

	#take(length: number): string {
		const taken = this.#rest.slice(0, length);
		this.#rest = this.#rest.slice(length);
		return taken;
	}
}

const isChunked = ({ headers }: Head): boolean => headers.get("transfer-encoding")?.toLowerCase() === "chunked";

function field(line: string): [string, string] {
	const colon = line.indexOf(":");
	return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
