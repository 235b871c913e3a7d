import { ChildWorker, type WorkerLimits } from "./child.ts";
import { type ClientClass, Connection, loadClient, reach } from "./connection.ts";
import type { WorkerCall, WorkerEvents } from "./contract.ts";
import { Exchange, type ExchangeHost } from "./exchange.ts";
import { type Command, isEnding, signalGroup } from "./group.ts";
import { headersFor } from "./passed-on.ts";
import type { Place, Way } from "./place.ts";

/** How to start a server. */
export interface ServerSpec {
	/** the command for a place, with the place's variables */
	readonly at: (place: Place) => Command;
	/** undefined: there is one when the server before has gone. @throws {Error} there is none, and the message says why */
	readonly findPlace: () => Place | undefined;
	/** the path that answers below 400 when the server is ready; undefined: it is ready when it takes connections */
	readonly ready: string | undefined;
	/** how long a connection whose protocol was changed may outlive its server's retirement, in `ms` */
	readonly timeoutMs: number;
}

/** How often a server that starts is looked at, in `ms`: at first and at the longest. */
const LOOK_MS = { first: 10, most: 200 };
/** How long one look may take, in `ms`. */
const LOOK_TIMEOUT_MS = 2000;
/** Where the system does not tell that a process is about to end: how long its end may be told after its connections', in `ms`. */
const END_TOLD_MS = 20;
/** A process that has ended: how long what it had sent is read, in `ms`. */
const LAST_WORDS_MS = 100;
/** How long a server may go on with a call that nobody waits for before its connection is cut, in `ms`. */
const LET_GO_MS = 1000;

/** A worker that is an HTTP server: each call is one exchange with it, over a connection of its own at the time. */
export class HttpWorker extends ChildWorker implements ExchangeHost {
	readonly #spec: ServerSpec;
	#place: Place | undefined;
	#way: Way | undefined;
	#Client: ClientClass | undefined;
	readonly #connections = new Set<Connection>();
	readonly #idle: Connection[] = [];
	/** false once the server has sent what nobody asked for: then each call has a new connection, so that no answer can be another call's */
	#keep = true;
	/** what the last look at the starting server saw */
	#seen = "it takes no connections";

	constructor(spec: ServerSpec, limits: WorkerLimits, events: WorkerEvents) {
		super(limits, events);
		this.#spec = spec;
		this.#settle();
	}

	send(call: WorkerCall): void {
		this.taken(call);
		const connection = this.#idle.pop() ?? this.#connect();
		const exchange = new Exchange(this, call, connection);
		call.exchange = exchange;
		const { body, upload, upgrade } = call;
		const headers = headersFor(call);
		if (upload !== undefined && upload.declared >= 0) headers.push("Content-Length", String(upload.declared));
		connection.dispatch(
			{
				method: call.method as "GET",
				path: call.url,
				headers,
				body: upload ?? (body === undefined ? null : body.length === 1 ? (body[0] as Buffer) : Buffer.concat(body)),
				upgrade: upgrade ?? null,
				...(!this.#keep && { reset: true }),
			},
			exchange,
		);
	}

	resume(call: WorkerCall): void {
		call.paused = false;
		(call.exchange as Exchange | undefined)?.resume();
	}

	concluded(exchange: Exchange): void {
		const { call, connection } = exchange;
		if (!this.holds(call)) return;
		this.released(call);
		call.exchange = undefined;
		// What else this answer's bytes held is read by now at the next turn: nothing of it can be taken for another call's.
		if (call.abandoned || !this.#keep || connection.tunnel) this.#drop(connection);
		else setImmediate(() => this.#rest(connection));
		this.callEnded();
	}

	endedWithConnection(exchange: Exchange): void {
		// A process that died has closed it too: then nobody knows whether the answer is whole.
		setTimeout(() => {
			if (this.holds(exchange.call) && !this.#ending) exchange.conclude();
		}, END_TOLD_MS);
	}

	broken(exchange: Exchange, error: Error & { refused?: boolean }): void {
		const { call } = exchange;
		this.#drop(exchange.connection);
		if (!this.holds(call)) return;
		if (call.abandoned) return this.concluded(exchange);
		setTimeout(() => {
			if (!this.holds(call) || this.#ending) return; // its end is what is to be told
			this.concluded(exchange);
			if (!call.abandoned) call.answer.fail("ANSWER_BROKEN", whyBroken(error, this.#place?.text ?? ""));
			if (error.refused) this.kill("exit", "it takes no connections any more");
		}, END_TOLD_MS);
	}

	protected letGo(call: WorkerCall): void {
		const exchange = call.exchange as Exchange;
		const { connection } = exchange;
		// Undici tells when it is over.
		if (connection.tunnel || !exchange.begun) return this.#drop(connection);
		call.upload?.hold();
		if (call.paused) this.resume(call);
		connection.hangUp();
		setTimeout(() => this.#drop(connection), LET_GO_MS);
	}

	protected askToFinish(): void {
		this.#place?.leaving();
		for (const connection of this.#idle.splice(0)) this.#drop(connection);
		if (this.awaited > 0) setTimeout(() => this.#cutTunnels(), this.#spec.timeoutMs).unref();
	}

	protected askToEnd(): void {
		signalGroup(this.pid, "SIGTERM");
	}

	protected breakOff(): void {
		this.#place?.leaving();
		for (const connection of this.#connections) connection.destroy();
	}

	protected lastWords(): void {
		if (this.inFlight === 0 && this.state !== "loading") return this.bury();
		// What it sent before its end, or printed about why it did not start, is still being read.
		setTimeout(() => this.bury(), LAST_WORDS_MS);
		if (this.inFlight === 0) this.child?.once("close", () => this.bury());
	}

	protected override bury(): void {
		this.#place?.leave();
		super.bury();
		for (const connection of this.#connections) connection.destroy();
	}

	protected slowToLoad(seconds: number): string {
		if (this.#place === undefined) return `the server before did not end within ${seconds} s, and its port is the only one`;
		return `the server was not ready at ${this.#place.text} after ${seconds} s: ${this.#seen}; let it listen there, or raise FUNC_LOAD_TIMEOUT if it needs longer`;
	}

	get #ending(): boolean {
		return this.ended || isEnding(this.pid);
	}

	#settle(): void {
		if (this.state !== "loading") return;
		try {
			this.#place = this.#spec.findPlace();
		} catch (cause) {
			setImmediate(() => this.cannotStart((cause as Error).message));
			return;
		}
		if (this.#place === undefined) {
			setTimeout(() => this.#settle(), LOOK_MS.most);
			return;
		}
		// Nothing is said on file descriptor 3: it ends with the loader, which nothing else tells a server.
		const { stdio } = this.start(this.#spec.at(this.#place), ["ignore", "pipe", "pipe", "pipe"]);
		stdio[3]?.on("error", () => {});
		void this.#untilReady(this.#place);
	}

	#connect(): Connection {
		const connection = new Connection(this.#Client as ClientClass, this.#way as Way, (closed) => {
			if (closed.untidy && this.#keep) {
				this.#keep = false;
				this.events.line(
					"stderr",
					"the server sent what no call had asked for: from now on each call has a connection of its own",
					undefined,
				);
			}
		});
		this.#connections.add(connection);
		return connection;
	}

	#rest(connection: Connection): void {
		if (this.state === "open" && this.#keep && this.#connections.has(connection)) this.#idle.push(connection);
		else this.#drop(connection);
	}

	#drop(connection: Connection): void {
		this.#connections.delete(connection);
		connection.destroy();
	}

	#cutTunnels(): void {
		for (const { tunnel } of this.#connections) tunnel?.destroy();
	}

	async #untilReady(place: Place): Promise<void> {
		const loading = loadClient();
		for (let wait = LOOK_MS.first; this.state === "loading"; wait = Math.min(wait * 1.5, LOOK_MS.most)) {
			for (const way of place.ways) {
				if (!(await this.#takesConnections(way))) continue;
				this.#way = way;
				this.#Client = await loading;
				if (this.#spec.ready !== undefined && !(await this.#isReady(this.#spec.ready))) break;
				if (this.state !== "loading" || this.ended || !this.saysOnce()) return;
				return this.loaded("");
			}
			await new Promise((resolve) => setTimeout(resolve, wait));
		}
	}

	#takesConnections(way: Way): Promise<boolean> {
		return new Promise((resolve) => {
			reach(way, 0, (_error, socket) => {
				socket?.destroy();
				resolve(socket !== undefined);
			});
		});
	}

	#isReady(path: string): Promise<boolean> {
		return new Promise((resolve) => {
			const connection = this.#connect();
			let isOver = false;
			const over = (ready: boolean, seen: string) => {
				if (isOver) return; // the connection that is dropped tells of that, too
				isOver = true;
				clearTimeout(timer);
				this.#seen = seen;
				this.#drop(connection);
				resolve(ready);
			};
			const timer = setTimeout(() => over(false, `GET ${path} was not answered within ${LOOK_TIMEOUT_MS / 1000} s`), LOOK_TIMEOUT_MS);
			connection.dispatch(
				{ method: "GET", path, headers: ["Host", "localhost"] },
				{
					onRequestStart: () => {},
					onResponseData: () => {},
					onResponseEnd: () => {},
					onResponseStart: (_controller, status) => {
						if (status >= 200) over(status < 400, `GET ${path} was answered with ${status}`);
					},
					onResponseError: (_controller, error) => over(false, `GET ${path} was not answered: ${error.message}`),
				},
			);
		});
	}
}

function whyBroken(error: Error & { refused?: boolean }, where: string): string {
	if (error.refused) return `the server takes no connections at ${where}: ${error.message}`;
	return `the server gave no whole answer: ${error.message}`;
}
