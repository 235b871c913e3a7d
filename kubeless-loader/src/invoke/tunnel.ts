import type { Duplex } from "node:stream";

/**
 * Returns the answer to an upgrade, with the server's own headers: they name the protocol that
 * follows.
 */
export function switchingProtocols(head: readonly string[]): string {
	let text = "HTTP/1.1 101 Switching Protocols\r\n";
	for (let index = 0; index < head.length; index += 2) text += `${head[index]}: ${head[index + 1]}\r\n`;
	return `${text}\r\n`;
}

/**
 * Passes bytes both ways until both sides have ended or one of them broke off; `closed` is called
 * once.
 */
export function joinSockets(one: Duplex, other: Duplex, closed: () => void): void {
	let left = 2;
	for (const [from, to] of [
		[one, other],
		[other, one],
	] as const) {
		from.pipe(to);
		from.on("error", () => {}); // `close` follows
		from.on("close", () => {
			// A side that ended was read to its end; otherwise it broke off.
			if (from.readableEnded) to.end();
			else to.destroy();
			if (--left === 0) closed();
		});
	}
}
