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
		} catch (error) {
			// The other side has closed its end with data unread; the system says so once it has handed over
			// all data of that side.
			if ((error as NodeJS.ErrnoException).code === "ECONNRESET") sink(undefined);
			return; // otherwise there is no data now (EAGAIN)
		}
		sink(length === 0 ? undefined : chunk.subarray(0, length));
		if (length === 0) return;
	}
}
