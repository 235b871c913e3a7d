import { readSync } from "node:fs";
import type { Socket } from "node:net";

/** What is read at once, in `bytes`. */
const READ = 64 * 1024;

/**
 * A write that fails makes Node.js destroy the socket, and what is still to be read is lost: the last answers of a worker
 * that has ended. Here they are read first; the sink gets them, and then undefined if the other side is at its end.
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
		const chunk = Buffer.allocUnsafe(READ);
		let length: number;
		try {
			length = readSync(fd, chunk);
		} catch {
			return; // nothing there now (EAGAIN), or the connection is broken
		}
		sink(length === 0 ? undefined : chunk.subarray(0, length));
		if (length === 0) return;
	}
}
