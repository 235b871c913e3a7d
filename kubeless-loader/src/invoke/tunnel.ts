import type { Duplex } from "node:stream";

/** The answer to an upgrade, with the server's own headers: they decide what is spoken from now on. */
export function switchingProtocols(head: readonly string[]): string {
	let text = "HTTP/1.1 101 Switching Protocols\r\n";
	for (let index = 0; index < head.length; index += 2) text += `${head[index]}: ${head[index + 1]}\r\n`;
	return `${text}\r\n`;
}

/** Passes bytes both ways until both sides have ended or one has broken off; `closed` is called once. */
export function joinSockets(one: Duplex, other: Duplex, closed: () => void): void {
	let left = 2;
	for (const [from, to] of [
		[one, other],
		[other, one],
	] as const) {
		from.pipe(to);
		from.on("error", () => {}); // `close` follows
		from.on("close", () => {
			// What it had still to say has been read when it ended; otherwise it was broken off.
			if (from.readableEnded) to.end();
			else to.destroy();
			if (--left === 0) closed();
		});
	}
}
