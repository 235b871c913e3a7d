import { type ClientClass, Connection, loadClient, reach } from "./connection.ts";
import type { Address } from "./endpoint.ts";

/** The interval of the checks in ms; it grows from `first` to `max`. */
const CHECK_MS = { first: 10, max: 200 };
/** How long one check may take, in ms. */
const CHECK_TIMEOUT_MS = 2000;

/** How a server that is ready is reached. */
export interface Reached {
	readonly address: Address;
	readonly Client: ClientClass;
}

/** Checks a server that has been started until it is ready. */
export class Readiness {
	readonly #path: string | undefined;
	readonly #closed: (connection: Connection) => void;
	/** the result of the last check: a part of a sentence */
	result = "it takes no connections";

	/**
	 * @param path answers below 400 once the server is ready; undefined: a server that takes
	 *   connections is ready
	 * @param closed is called when the connection of a check has ended
	 */
	constructor(path: string | undefined, closed: (connection: Connection) => void) {
		this.#path = path;
		this.#closed = closed;
	}

	/** Resolves when the server is ready, or with undefined when `goesOn` returns false. */
	async until(addresses: readonly Address[], goesOn: () => boolean): Promise<Reached | undefined> {
		const loading = loadClient();
		for (let wait = CHECK_MS.first; goesOn(); wait = Math.min(wait * 1.5, CHECK_MS.max)) {
			for (const address of addresses) {
				if (!(await takesConnections(address))) continue;
				const reached = { address, Client: await loading };
				if (this.#path !== undefined && !(await this.#answers(this.#path, reached))) break;
				return goesOn() ? reached : undefined;
			}
			await new Promise((resolve) => setTimeout(resolve, wait));
		}
		return undefined;
	}

	#answers(path: string, { address, Client }: Reached): Promise<boolean> {
		return new Promise((resolve) => {
			const connection = new Connection(Client, address, this.#closed);
			let isOver = false;
			const over = (ready: boolean, result: string) => {
				if (isOver) return; // the end of the connection is reported as an error
				isOver = true;
				clearTimeout(timer);
				this.result = result;
				connection.destroy();
				resolve(ready);
			};
			const timer = setTimeout(() => over(false, `GET ${path} was not answered within ${CHECK_TIMEOUT_MS / 1000} s`), CHECK_TIMEOUT_MS);
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

function takesConnections(address: Address): Promise<boolean> {
	return new Promise((resolve) => {
		reach(address, 0, (_error, socket) => {
			socket?.destroy();
			resolve(socket !== undefined);
		});
	});
}
