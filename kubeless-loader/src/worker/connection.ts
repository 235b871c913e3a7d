import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Dispatcher, Client as UndiciClient } from "undici";
import type { Way } from "./place.ts";

/** How long a connection is kept for the next call, in `ms`: less than servers keep theirs, so that they are not the ones to close. */
const IDLE_MS = 1000;
/** Where a server says how long it keeps a connection, it is closed so many `ms` before. */
const EARLIER_MS = 1000;
const MOST_IDLE_MS = 4000;
/** How long a server that refuses connections is asked again, in `ms`; nothing of a call has been sent by then. */
const REFUSED_MS = 1000;
const ASK_AGAIN_MS = 10;
/** As much as the loader takes from its own callers, and then some, in `bytes`. */
const LONGEST_HEAD = 64 * 1024;

/** The class alone is loaded when the first server is started: what speaks the wire starts without it. */
export type ClientClass = typeof UndiciClient;
export const loadClient = async (): Promise<ClientClass> => (await import("undici/lib/dispatcher/client.js")).default;

/** One connection to a server, for one call at a time; it is made when it is needed and made again when it was closed. */
export class Connection {
	readonly #client: UndiciClient;
	#socket: Socket | undefined;
	/** the server has sent what nobody asked for, or what is not HTTP */
	untidy = false;
	/** the connection itself, once caller and server use it as they like */
	tunnel: Duplex | undefined;

	constructor(Client: ClientClass, way: Way, closed: (connection: Connection) => void) {
		this.#client = new Client("http://function", {
			connect: (_options, done) =>
				reach(way, performance.now() + REFUSED_MS, (error, socket) => {
					this.#socket = socket;
					if (socket) done(null, socket);
					else done(error ?? new Error("no connection"), null);
				}),
			pipelining: 1,
			headersTimeout: 0, // the loader has its own time limit
			bodyTimeout: 0,
			keepAliveTimeout: IDLE_MS,
			keepAliveMaxTimeout: MOST_IDLE_MS,
			keepAliveTimeoutThreshold: EARLIER_MS,
			maxHeaderSize: LONGEST_HEAD,
		});
		this.#client.on("disconnect", (_origin, _clients, error) => {
			this.untidy ||= error.name === "HTTPParserError" || error.message === "bad response";
			closed(this);
		});
	}

	dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
		this.#client.dispatch(request, handler);
	}

	/** Closes the sending side: servers take that for a caller who has gone, and show by closing theirs that they have let go. */
	hangUp(): void {
		this.#socket?.end();
	}

	destroy(): void {
		this.#client.destroy().catch(() => {});
		this.tunnel?.destroy();
	}
}

/** Connects; a server that does not take connections at the moment is asked again until `patience` is over. */
export function reach(way: Way, patience: number, done: (error: Error | null, socket?: Socket) => void): void {
	const socket = connect({ ...way, noDelay: true });
	socket.once("connect", () => {
		socket.removeListener("error", refused);
		done(null, socket);
	});
	socket.once("error", refused);
	function refused(error: NodeJS.ErrnoException): void {
		// EAGAIN: a Unix socket whose queue of connections is full.
		const again = error.code === "EAGAIN" || error.code === "ECONNREFUSED" || error.code === "ENOENT";
		if (again && performance.now() < patience) setTimeout(() => reach(way, patience, done), ASK_AGAIN_MS);
		else done(Object.assign(error, { refused: true }));
	}
}
