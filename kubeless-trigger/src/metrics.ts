import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type CallOutcome = "succeeded" | "failed" | "refused";

/** The consumer's metrics. Labels: the function's name, and for Kafka the partition's number. */
export class Metrics {
	readonly registry = new Registry();
	readonly #retries = this.#counter("kubeless_trigger_retries_total", "Attempts beyond the first one");
	readonly #deadLetters = this.#counter("kubeless_trigger_dead_letters_total", "Messages published to the dead-letter topic");
	readonly #dropped = this.#counter("kubeless_trigger_dropped_total", "Messages given up without a dead-letter topic");
	readonly #repliesDropped = this.#counter("kubeless_trigger_replies_dropped_total", "Answers that the broker does not take");
	readonly #overflow = this.#counter("kubeless_trigger_overflow_total", "NATS messages dropped because too many were waiting");
	readonly #seconds = new Histogram({
		name: "kubeless_trigger_delivery_seconds",
		help: "Time from the first attempt to success",
		labelNames: ["function"],
		buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
		registers: [this.registry],
	});
	readonly #lag = new Gauge({
		name: "kubeless_trigger_lag",
		help: "Messages of a partition that are not done with",
		labelNames: ["function", "partition"],
		registers: [this.registry],
	});

	constructor() {
		collectDefaultMetrics({ register: this.registry });
		const called = this.#called;
		new Counter({
			name: "kubeless_trigger_calls_total",
			help: "Calls of functions by outcome: succeeded (2xx), failed, refused (the function did not run)",
			labelNames: ["function", "outcome"],
			registers: [this.registry],
			collect() {
				this.reset();
				for (const [name, counts] of called) {
					for (const [outcome, count] of Object.entries(counts)) if (count > 0) this.inc({ function: name, outcome }, count);
				}
			},
		});
	}

	/** Calls by function, which become the counter when it is read: they are counted for each call. */
	readonly #called = new Map<string, Record<CallOutcome, number>>();
	readonly #observed = new Map<string, Histogram.Internal<"function">>();

	called(name: string, outcome: CallOutcome): void {
		let counts = this.#called.get(name);
		if (!counts) {
			counts = { succeeded: 0, failed: 0, refused: 0 };
			this.#called.set(name, counts);
		}
		counts[outcome]++;
	}

	delivered(name: string, seconds: number): void {
		let histogram = this.#observed.get(name);
		if (!histogram) {
			histogram = this.#seconds.labels(name);
			this.#observed.set(name, histogram);
		}
		histogram.observe(seconds);
	}

	retried = (name: string): void => this.#retries.inc({ function: name });
	deadLettered = (name: string): void => this.#deadLetters.inc({ function: name });
	dropped = (name: string): void => this.#dropped.inc({ function: name });
	replyDropped = (name: string): void => this.#repliesDropped.inc({ function: name });
	overflowed = (name: string): void => this.#overflow.inc({ function: name });
	lag = (name: string, partition: number, messages: number): void => this.#lag.set({ function: name, partition }, messages);
	lost = (name: string, partition: number): void => this.#lag.remove({ function: name, partition });

	#counter(name: string, help: string): Counter<"function"> {
		return new Counter({ name, help, labelNames: ["function"], registers: [this.registry] });
	}
}
