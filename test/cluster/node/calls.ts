// Calls of functions by the address of their Service.
import http from "node:http";
import { poll } from "../../support/poll.ts";
import { eventually } from "../support.ts";

const CALLERS = 4;
/** Answers in a row of one version, after which no pod of another one is called. */
const NEWEST = 40;

export interface Service {
	readonly host: string;
	readonly port: number;
}

/** Resolves with the address of a Service. */
export async function serviceOf(ns: string, name: string): Promise<Service> {
	const { spec } = await eventually("Service", ns, name);
	const { clusterIP, ports } = spec as { clusterIP: string; ports: { port: number }[] };
	return { host: clusterIP, port: (ports[0] as { port: number }).port };
}

interface Answer {
	readonly status: number;
	readonly text: string;
}

/** Calls over a connection of its own. */
function call(service: Service): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const request = http.request({ ...service, method: "POST", agent: false, timeout: 30_000 }, async (response) => {
			const text = Buffer.concat(await response.toArray()).toString();
			resolve({ status: response.statusCode ?? 0, text });
		});
		request.on("timeout", () => request.destroy(new Error("no answer within 30 s"))).on("error", reject);
		request.end("x");
	});
}

/** Calls until the answer fits, and returns its text. */
export function answers(service: Service, fits: (answer: Answer) => boolean): Promise<string> {
	let last: unknown;
	return poll(
		async () => {
			const answer = await call(service).catch((error: Error) => ({ status: 0, text: error.message }));
			last = answer;
			return fits(answer) ? answer.text : undefined;
		},
		() => `the function does not answer as expected: ${JSON.stringify(last)}`,
	);
}

/** Calls a function without a pause, over some connections at once. */
export class Load {
	newest: string[] = [];
	readonly #callers: Promise<void>[];
	readonly #failed: string[] = [];
	#calls = 0;
	#ended = false;

	constructor(service: Service) {
		this.#callers = Array.from({ length: CALLERS }, async () => {
			while (!this.#ended) {
				const answer = await call(service).catch((error: Error) => ({ status: 0, text: error.message }));
				this.#calls++;
				this.newest = [answer.text, ...this.newest.slice(0, NEWEST - 1)];
				if (answer.status !== 200) this.#failed.push(`${answer.status} ${answer.text}`);
			}
		});
	}

	async end(): Promise<{ calls: number; failed: readonly string[] }> {
		this.#ended = true;
		await Promise.all(this.#callers);
		return { calls: this.#calls, failed: this.#failed };
	}
}
