import type { Socket } from "node:net";

const ADDRESS = Symbol("caller's address");

/** Where the caller's connection came from; asked of the system once a connection. */
export function callerAddress(socket: Socket & { [ADDRESS]?: string }): string {
	const known = socket[ADDRESS];
	if (known !== undefined) return known;
	// A socket for both versions of IP shows version 4 addresses as ::ffff:1.2.3.4.
	const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
	socket[ADDRESS] = address;
	return address;
}
