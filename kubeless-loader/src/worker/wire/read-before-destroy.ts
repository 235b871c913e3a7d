import { readSync } from "node:fs";
import type { Socket } from "node:net";

/** Bytes per read. */
const READ_BYTES = 64 * 1024;

/**
 * A failed write makes Node.js destroy the socket, which loses the data not yet read: the last
 * answers of a worker that has ended. This reads them first. The sink receives them, and then
 * undefined if the other side has closed the socket.
 */
export function readBeforeDestroy(socket: Socket, sink: (chunk: Buffer | undefined) => void): void {
	const destroy = socket._destroy;
	socket._destroy = (error, done) => {
		const { fd } = (socket as Socket & { _handle: { fd: number } | null })._handle ?? { fd: -1 };
		if (error && fd >= 0) readRest(fd, sink);
		destroy.call(socket, error, done);
	};
}

function readRest(fd: number, sink: (chunk: Buffer | undefined) => void): void {
	for (;;) {
		const chunk = Buffer.allocUnsafe(READ_BYTES);
		let length: number;
		try {
			length = readSync(fd, chunk);
		} catch {
			return; // no data now (EAGAIN), or the connection is broken
		}
		sink(length === 0 ? undefined : chunk.subarray(0, length));
		if (length === 0) return;
	}
}
