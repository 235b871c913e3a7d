import type { Socket } from "node:net";

const ADDRESS = Symbol("caller's address");

/**
 * Returns the IP address of the caller's connection; empty if unknown. The system is queried once
 * per connection.
 */
export function callerAddress(socket: Socket & { [ADDRESS]?: string }): string {
	const cached = socket[ADDRESS];
	if (cached !== undefined) return cached;
	// A dual-stack socket shows IPv4 addresses as ::ffff:1.2.3.4.
	const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
	socket[ADDRESS] = address;
	return address;
}
