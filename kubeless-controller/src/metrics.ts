import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What is counted at the time of a scrape. */
export interface Collected {
	readonly queue: number;
	/** Kind and number of the resources. */
	readonly resources: (readonly [string, number])[];
}

export class Metrics {
	readonly registry = new Registry();
	readonly passes: Histogram<"kind" | "result">;
	readonly watchRestarts: Counter<"kind">;
	readonly requests: Counter<"method" | "code">;
	readonly leader: Gauge;
	#collect: (() => Collected) | undefined;

	constructor() {
		const registers = [this.registry];
		collectDefaultMetrics({ register: this.registry });
		const labelNames = ["kind", "result"] as const;
		const buckets = [0.005, 0.02, 0.05, 0.1, 0.5, 1, 5, 30];
		this.passes = new Histogram({ name: "kubeless_controller_pass_seconds", help: "Duration of passes", labelNames, buckets, registers });
		this.watchRestarts = new Counter({
			name: "kubeless_controller_watch_restarts_total",
			help: "Watches that broke",
			labelNames: ["kind"],
			registers,
		});
		this.requests = new Counter({
			name: "kubeless_controller_api_requests_total",
			help: "Requests to the API server",
			labelNames: ["method", "code"],
			registers,
		});
		this.leader = new Gauge({ name: "kubeless_controller_leader", help: "1 while this replica holds the Lease", registers });
		const queue = new Gauge({ name: "kubeless_controller_queue_length", help: "Resources that wait for a pass", registers });
		const collected = (): Collected => this.#collect?.() ?? { queue: 0, resources: [] };
		new Gauge({
			name: "kubeless_controller_resources",
			help: "Functions and triggers",
			labelNames: ["kind"],
			registers,
			collect() {
				const now = collected();
				queue.set(now.queue);
				for (const [kind, count] of now.resources) this.set({ kind }, count);
			},
		});
	}

	onCollect(collect: () => Collected): void {
		this.#collect = collect;
	}
}
