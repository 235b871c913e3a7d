import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Dispatcher, Client as UndiciClient } from "undici";
import type { Address } from "./endpoint.ts";

/**
 * How long an idle connection is kept, in ms: less than servers do, so that the loader is the side
 * that closes it.
 */
const IDLE_MS = 1000;
/**
 * If a server announces how long it keeps a connection, the loader closes it earlier by this, in
 * ms.
 */
const CLOSE_EARLIER_MS = 1000;
const MAX_IDLE_MS = 4000;
/**
 * How long connecting is retried while a server refuses, in ms; nothing of a call has been sent by
 * then.
 */
const RETRY_FOR_MS = 1000;
const RETRY_DELAY_MS = 10;
/** Bytes of an answer's headers; more than the loader takes from its own callers. */
const MAX_HEAD_BYTES = 64 * 1024;

/**
 * Loaded when the first server is started: a worker that speaks the wire starts sooner without it.
 */
export type ClientClass = typeof UndiciClient;
export const loadClient = async (): Promise<ClientClass> => (await import("undici/lib/dispatcher/client.js")).default;

/**
 * One connection to a server, for one call at a time. It is made when it is needed, and again after
 * it was closed.
 */
export class Connection {
	readonly #client: UndiciClient;
	#socket: Socket | undefined;
	/** the server has sent data that no request asked for, or that is not HTTP */
	untidy = false;
	/** the socket, once its protocol was switched */
	tunnel: Duplex | undefined;

	constructor(Client: ClientClass, address: Address, closed: (connection: Connection) => void) {
		this.#client = new Client("http://function", {
			connect: (_options, done) =>
				reach(address, performance.now() + RETRY_FOR_MS, (error, socket) => {
					this.#socket = socket;
					if (socket) done(null, socket);
					else done(error ?? new Error("no connection"), null);
				}),
			pipelining: 1,
			headersTimeout: 0, // FUNC_TIMEOUT applies instead
			bodyTimeout: 0,
			keepAliveTimeout: IDLE_MS,
			keepAliveMaxTimeout: MAX_IDLE_MS,
			keepAliveTimeoutThreshold: CLOSE_EARLIER_MS,
			maxHeaderSize: MAX_HEAD_BYTES,
		});
		this.#client.on("disconnect", (_origin, _clients, error) => {
			this.untidy ||= error.name === "HTTPParserError" || error.message === "bad response";
			closed(this);
		});
	}

	dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
		this.#client.dispatch(request, handler);
	}

	/**
	 * Closes the sending side: a server takes that for a client that has gone, and closes its own side
	 * when it has stopped.
	 */
	endSending(): void {
		this.#socket?.end();
	}

	destroy(): void {
		this.#client.destroy().catch(() => {});
		this.tunnel?.destroy();
	}
}

/**
 * Connects; retries until `until` (of performance.now()) if the server does not take connections at
 * the moment.
 */
export function reach(address: Address, until: number, done: (error: Error | null, socket?: Socket) => void): void {
	const socket = connect({ ...address, noDelay: true });
	socket.once("connect", () => {
		socket.removeListener("error", refused);
		done(null, socket);
	});
	socket.once("error", refused);
	function refused(error: NodeJS.ErrnoException): void {
		// EAGAIN: a Unix socket whose queue of connections is full.
		const again = error.code === "EAGAIN" || error.code === "ECONNREFUSED" || error.code === "ENOENT";
		if (again && performance.now() < until) setTimeout(() => reach(address, until, done), RETRY_DELAY_MS);
		else done(Object.assign(error, { refused: true }));
	}
}
