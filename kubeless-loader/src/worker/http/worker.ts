// The kind of worker that is an HTTP server: exchange.ts is one call, connection.ts one connection
// to the server, endpoint.ts where it listens. This file is the server's life: its start, until it
// is ready, its calls, its end.
import type { Duplex } from "node:stream";
import type { Intake, WorkerCall, WorkerEvents } from "../contract.ts";
import { ChildWorker, type WorkerLimits } from "../process/child.ts";
import { type Command, isEnding, signalGroup } from "../process/process-group.ts";
import { Connection } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { Exchange, type ExchangeHost } from "./exchange.ts";
import { proxyHeaders } from "./forwarded-headers.ts";
import { type Reached, Readiness } from "./readiness.ts";

/** CloudEvents libraries open an envelope themselves, so a server gets it as it was sent. */
export const HTTP_INTAKE: Intake = { body: "streamed", envelopes: "as sent", upgrades: true };

/** How to start a server. */
export interface ServerSpec {
	/** Returns the command for an endpoint, with the endpoint's variables. */
	readonly commandAt: (endpoint: Endpoint) => Command;
	/**
	 * Returns undefined while the previous server still holds the only port.
	 * @throws {Error} if no endpoint is available
	 */
	readonly findEndpoint: () => Endpoint | undefined;
	/**
	 * the path that answers below 400 once the server is ready; undefined: it is ready when it takes
	 * connections
	 */
	readonly ready: string | undefined;
	/**
	 * how long a connection whose protocol was switched may stay open after its server was retired, in
	 * ms
	 */
	readonly timeoutMs: number;
}

/** How often it is checked whether the previous server has left the only port, in ms. */
const FREE_CHECK_MS = 200;
/** How long after the end of a connection the exit of its process may be reported, in ms. */
const EXIT_DELAY_MS = 20;
/** How long the connections of an ended process are read on, in ms. */
const READ_ON_MS = 100;
/** How long a server may work on a cancelled call before its connection is cut, in ms. */
const CANCEL_GRACE_MS = 1000;

/**
 * Each call is one exchange with the server, over a connection that it does not share at that time.
 */
export class HttpWorker extends ChildWorker<Exchange> implements ExchangeHost {
	readonly #spec: ServerSpec;
	#endpoint: Endpoint | undefined;
	/** undefined until it is ready */
	#reached: Reached | undefined;
	readonly #readiness: Readiness;
	readonly #connections = new Set<Connection>();
	readonly #idle: Connection[] = [];
	/**
	 * connections whose protocol was switched: they are no calls, and end when either side ends them
	 */
	readonly #tunnels = new Set<Connection>();
	/**
	 * False once the server has sent data that no request asked for: then each call has a new
	 * connection, so that no answer can be taken for another call's.
	 */
	#reuse = true;

	constructor(spec: ServerSpec, limits: WorkerLimits, events: WorkerEvents) {
		super(limits, events);
		this.#spec = spec;
		this.#readiness = new Readiness(spec.ready, (connection) => this.#noteEnd(connection));
		this.#settle();
	}

	send(call: WorkerCall): Exchange {
		const connection = this.#idle.pop() ?? this.#connect();
		const exchange = new Exchange(this, call, connection);
		this.add(exchange);
		const { body, upload, upgrade } = call;
		const headers = proxyHeaders(call);
		if (upload !== undefined && upload.declared >= 0) headers.push("Content-Length", String(upload.declared));
		connection.dispatch(
			{
				method: call.method as "GET",
				path: call.url,
				headers,
				body: upload ?? (body === undefined ? null : body.parts.length === 1 ? (body.parts[0] as Buffer) : Buffer.concat(body.parts)),
				upgrade: upgrade ?? null,
				...(!this.#reuse && { reset: true }),
			},
			exchange,
		);
		return exchange;
	}

	concluded(exchange: Exchange): void {
		const { connection } = exchange;
		if (!this.holds(exchange)) return;
		this.remove(exchange);
		// By the next turn all bytes that came with this answer are read: none can be taken for another
		// call's answer.
		if (exchange.cancelled || !this.#reuse || connection.tunnel) this.#drop(connection);
		else setImmediate(() => this.#rest(connection));
		this.callEnded();
	}

	tunnelled(exchange: Exchange, socket: Duplex): void {
		const { connection } = exchange;
		this.#tunnels.add(connection);
		socket.on("close", () => {
			this.#tunnels.delete(connection);
			this.#drop(connection);
			if (this.state === "retiring") this.callEnded();
		});
		this.remove(exchange);
		this.callEnded();
	}

	endedWithConnection(exchange: Exchange): void {
		// A process that died has closed the connection, too: then the answer may not be whole.
		setTimeout(() => {
			if (this.holds(exchange) && !this.#ending) exchange.conclude();
		}, EXIT_DELAY_MS);
	}

	broken(exchange: Exchange, error: Error & { refused?: boolean }): void {
		this.#drop(exchange.connection);
		if (!this.holds(exchange)) return;
		if (exchange.cancelled) return this.concluded(exchange);
		setTimeout(() => {
			if (!this.holds(exchange) || this.#ending) return; // the exit will be the reason given
			this.concluded(exchange);
			if (!exchange.cancelled) exchange.call.answer.fail("ANSWER_BROKEN", whyBroken(error, this.#endpoint?.text ?? ""));
			if (error.refused) this.kill("exit", "it takes no connections any more");
		}, EXIT_DELAY_MS);
	}

	protected override get occupied(): boolean {
		return this.#tunnels.size > 0;
	}

	protected sendCancel(exchange: Exchange): void {
		const { call, connection } = exchange;
		// Undici then reports the end of the exchange.
		if (connection.tunnel || !exchange.begun) return this.#drop(connection);
		call.upload?.hold();
		exchange.resume();
		connection.endSending();
		setTimeout(() => this.#drop(connection), CANCEL_GRACE_MS);
	}

	protected sendStop(): void {
		this.#endpoint?.releasing();
		for (const connection of this.#idle.splice(0)) this.#drop(connection);
		if (this.isAwaited || this.occupied) setTimeout(() => this.#cutTunnels(), this.#spec.timeoutMs).unref();
	}

	protected requestExit(): void {
		signalGroup(this.pid, "SIGTERM");
	}

	protected disconnect(): void {
		this.#endpoint?.releasing();
		for (const connection of this.#connections) connection.destroy();
	}

	protected readRemaining(): void {
		if (this.inFlight === 0 && !this.occupied && this.state !== "loading") return this.onGone();
		// Its last answers, or its output about why it did not start, are still being read.
		setTimeout(() => this.onGone(), READ_ON_MS);
		if (this.inFlight === 0) this.child?.once("close", () => this.onGone());
	}

	protected override onGone(): void {
		this.#endpoint?.release();
		super.onGone();
		for (const connection of this.#connections) connection.destroy();
	}

	protected loadTimeoutMessage(seconds: number): string {
		if (this.#endpoint === undefined) return `the previous server did not end within ${seconds} s, and its port is the only one`;
		return `the server was not ready at ${this.#endpoint.text} after ${seconds} s: ${this.#readiness.result}; let it listen there, or raise FUNC_LOAD_TIMEOUT if it needs longer`;
	}

	get #ending(): boolean {
		return this.ended || isEnding(this.pid);
	}

	#settle(): void {
		if (this.state !== "loading") return;
		try {
			this.#endpoint = this.#spec.findEndpoint();
		} catch (cause) {
			setImmediate(() => this.cannotStart((cause as Error).message));
			return;
		}
		if (this.#endpoint === undefined) {
			setTimeout(() => this.#settle(), FREE_CHECK_MS);
			return;
		}
		// Nothing is sent on file descriptor 3. It ends with the loader, which a server cannot learn
		// otherwise.
		const { stdio } = this.start(this.#spec.commandAt(this.#endpoint), ["ignore", "pipe", "pipe", "pipe"]);
		stdio[3]?.on("error", () => {});
		void this.#untilReady(this.#endpoint);
	}

	async #untilReady({ addresses }: Endpoint): Promise<void> {
		const reached = await this.#readiness.until(addresses, () => this.state === "loading" && !this.ended);
		if (reached === undefined || !this.reportedOnce()) return;
		this.#reached = reached;
		this.loaded();
	}

	#connect(): Connection {
		const { Client, address } = this.#reached as Reached;
		const connection = new Connection(Client, address, (closed) => this.#noteEnd(closed));
		this.#connections.add(connection);
		return connection;
	}

	#noteEnd({ untidy }: Connection): void {
		if (!untidy || !this.#reuse) return;
		this.#reuse = false;
		const message = "the server sent data that no call had asked for: from now on each call has a connection of its own";
		this.events.line("stderr", message, undefined, false);
	}

	#rest(connection: Connection): void {
		if (this.state === "open" && this.#reuse && this.#connections.has(connection)) this.#idle.push(connection);
		else this.#drop(connection);
	}

	#drop(connection: Connection): void {
		this.#connections.delete(connection);
		connection.destroy();
	}

	#cutTunnels(): void {
		for (const { tunnel } of this.#tunnels) tunnel?.destroy();
	}
}

function whyBroken(error: Error & { refused?: boolean }, where: string): string {
	if (error.refused) return `the server takes no connections at ${where}: ${error.message}`;
	return `the server gave no whole answer: ${error.message}`;
}
