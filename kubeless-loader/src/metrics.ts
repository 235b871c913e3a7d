import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from "prom-client";
import { residentBytes } from "./cgroup.ts";
import type { FaultCode } from "./errors.ts";
import { Series } from "./histogram.ts";
import type { Pool } from "./pool/pool.ts";
import type { ExitReason } from "./worker/contract.ts";

// Kubeless's buckets in s, which are the defaults of prom-client and Go.
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES = [0, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/**
 * Methods with a label value of their own; all others share one, so that callers cannot create
 * series.
 */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
const OTHER = "OTHER";

/**
 * Classes of the status of a function's answers, by the status's first digit; the last one is for
 * 600 to 999.
 */
const STATUS_CLASSES = ["2xx", "3xx", "4xx", "5xx", "other"];
/**
 * Gauges of prom-client whose names are those of counters; each is the sum of a gauge without
 * `_total`.
 */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** The sums over all calls of one method. */
export class MethodSeries {
	readonly method: string;
	calls = 0;
	failures = 0;
	readonly duration = new Series(SECONDS);

	constructor(method: string) {
		this.method = method;
	}
}

/**
 * All metrics of the loader. A call changes plain numbers; prom-client reads them when the metrics
 * are scraped. Its own label look-up would cost more than the rest of a call's bookkeeping.
 */
export class Metrics {
	inFlight = 0;
	/** open connections whose protocol was switched: they are no calls */
	webSockets = 0;
	/** uncaught exceptions in the loader */
	exceptions = 0;
	readonly wait = new Series(SECONDS);
	readonly requestBytes = new Series(BYTES);
	readonly responseBytes = new Series(BYTES);
	/** the function's own answers, by class of status */
	readonly #responses = new Float64Array(STATUS_CLASSES.length);
	readonly #registry = new Registry();
	readonly #methods = new Map<string, MethodSeries>();
	readonly #other = new MethodSeries(OTHER);
	readonly #rejected: Counter<"reason">;
	readonly #timeouts: Counter;
	readonly #starts: Counter;
	readonly #exits: Counter<"reason">;
	readonly #load: Gauge;
	readonly #reloads: Counter<"result">;
	readonly #dropped: Counter;
	#scrape: Promise<unknown> = Promise.resolve();

	constructor(pool: Pool) {
		for (const method of METHODS) this.#methods.set(method, new MethodSeries(method));
		const registers = [this.#registry];
		const all = [...this.#methods.values(), this.#other];
		const used = () => all.filter((series) => series.calls > 0);
		this.#counter("function_calls_total", "Number of calls to user function", () =>
			used().map(({ method, calls }) => ({ labels: { method }, value: calls })),
		);
		this.#counter("function_failures_total", "Number of exceptions in user function", () =>
			used().map(({ method, failures }) => ({ labels: { method }, value: failures })),
		);
		this.#histogram("function_duration_seconds", "Duration of user function in seconds", () =>
			used().map(({ method, duration }) => ({ labels: { method }, series: duration })),
		);
		const responses = this.#responses;
		new Counter({
			name: "function_responses_total",
			help: "Answers that the function gave itself, by class of status",
			labelNames: ["status"],
			registers,
			collect() {
				this.reset();
				for (const [index, status] of STATUS_CLASSES.entries()) this.inc({ status }, responses[index] as number);
			},
		});
		this.#histogram("function_queue_wait_seconds", "Time calls waited for a worker", () => [{ labels: {}, series: this.wait }]);
		this.#histogram("function_request_size_bytes", "Size of request bodies", () => [{ labels: {}, series: this.requestBytes }]);
		this.#histogram("function_response_size_bytes", "Size of response bodies", () => [{ labels: {}, series: this.responseBytes }]);
		const gauge = (name: string, help: string, read: () => number) =>
			new Gauge({
				name,
				help,
				registers,
				collect() {
					this.set(read());
				},
			});
		gauge("function_calls_in_flight", "Calls being answered, including those that wait", () => this.inFlight);
		gauge("function_websockets_open", "Open WebSockets, which are no calls", () => this.webSockets);
		gauge("function_queue_length", "Calls that wait for a worker", () => pool.waiting);
		gauge("function_workers_ready", "Worker processes that take calls", () => pool.ready);
		new Gauge({
			name: "function_workers_memory_bytes",
			help: "Resident memory of all worker processes",
			registers,
			async collect() {
				const sizes = await Promise.all(pool.workers.flatMap(({ pids }) => pids.map(residentBytes)));
				this.set(sizes.reduce((total, size) => total + size, 0));
			},
		});
		this.#load = new Gauge({ name: "function_load_seconds", help: "Time of the last worker from its start to ready", registers });
		this.#timeouts = new Counter({ name: "function_timeouts_total", help: "Calls that ran out of time", registers });
		this.#rejected = new Counter({
			name: "function_rejections_total",
			help: "Calls refused, by reason",
			labelNames: ["reason"],
			registers,
		});
		this.#starts = new Counter({ name: "function_worker_starts_total", help: "Worker processes started", registers });
		this.#exits = new Counter({
			name: "function_worker_exits_total",
			help: "Worker processes ended, by reason",
			labelNames: ["reason"],
			registers,
		});
		this.#reloads = new Counter({
			name: "function_reloads_total",
			help: "Reloads of the function, by result",
			labelNames: ["result"],
			registers,
		});
		this.#dropped = new Counter({
			name: "function_log_lines_dropped_total",
			help: "Log lines dropped because the reader of the log was too slow",
			registers,
		});
		const exceptions = () => this.exceptions;
		new Counter({
			name: "function_loader_exceptions_total",
			help: "Uncaught exceptions in the loader; after the first, /healthz fails",
			registers,
			collect() {
				this.reset();
				this.inc(exceptions());
			},
		});
		collectDefaultMetrics({ register: this.#registry });
		for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
	}

	/** Returns the series of a method, for a call to keep. */
	of(method: string): MethodSeries {
		return this.#methods.get(method) ?? this.#other;
	}

	/** @param status of an answer that the function gave, 200 or above */
	answered(status: number): void {
		(this.#responses[Math.min(Math.trunc(status / 100) - 2, STATUS_CLASSES.length - 1)] as number)++;
	}

	rejected(code: FaultCode): void {
		this.#rejected.inc({ reason: code.toLowerCase() });
	}

	timedOut(): void {
		this.#timeouts.inc();
	}

	workerStarted(): void {
		this.#starts.inc();
	}

	workerReady(ms: number): void {
		this.#load.set(ms / 1000);
	}

	workerGone(reason: ExitReason): void {
		this.#exits.inc({ reason });
	}

	reloaded(result: "taken" | "failed"): void {
		this.#reloads.inc({ result });
	}

	linesDropped(count: number): void {
		this.#dropped.inc(count);
	}

	/** Returns the exposition in the format of the scraper's Accept header. */
	render(accept: string | undefined): Promise<{ contentType: string; text: string }> {
		const format = prefersOpenMetrics(accept) ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
		// One scrape at a time: the format is a state of the registry.
		const turn = this.#scrape.then(() => this.#renderAs(format));
		this.#scrape = turn.catch(() => undefined);
		return turn;
	}

	async #renderAs(
		format: typeof Registry.OPENMETRICS_CONTENT_TYPE | typeof Registry.PROMETHEUS_CONTENT_TYPE,
	): Promise<{ contentType: string; text: string }> {
		const registry = this.#registry as unknown as Registry<typeof format>;
		registry.setContentType(format);
		// prom-client removes `_total` from the counters' names for OpenMetrics and does not restore it.
		const metrics = registry.getMetricsAsArray() as unknown as { name: string }[];
		const names = metrics.map((metric) => metric.name);
		try {
			return { contentType: registry.contentType, text: await registry.metrics() };
		} finally {
			for (const [index, metric] of metrics.entries()) metric.name = names[index] as string;
		}
	}

	#counter(name: string, help: string, read: () => { labels: { method: string }; value: number }[]): void {
		new Counter({
			name,
			help,
			labelNames: ["method"],
			registers: [this.#registry],
			collect() {
				this.reset();
				for (const { labels, value } of read()) this.inc(labels, value);
			},
		});
	}

	#histogram(name: string, help: string, read: () => { labels: Record<string, string>; series: Series }[]): void {
		const metric = { name, help, type: "histogram", aggregator: "sum", get: async () => ({ ...metric, values: read().flatMap(exposed) }) };
		function exposed({ labels, series }: { labels: Record<string, string>; series: Series }) {
			let total = 0;
			const buckets = [...series.counts].map((count, index) => {
				total += count;
				return { metricName: `${name}_bucket`, labels: { le: series.bounds[index] ?? "+Inf", ...labels }, value: total };
			});
			return [...buckets, { metricName: `${name}_sum`, labels, value: series.sum }, { metricName: `${name}_count`, labels, value: total }];
		}
		// A registry reads no more of a metric than this; prom-client's Histogram does not accept
		// finished buckets.
		this.#registry.registerMetric(metric as unknown as Metric);
	}
}

/**
 * True if an Accept header (RFC 9110 §12.5.1) names OpenMetrics and rates it as high as the text
 * format, or higher.
 */
function prefersOpenMetrics(accept = ""): boolean {
	let open = 0;
	let text = 0;
	for (const range of accept.toLowerCase().split(",")) {
		const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
		const weight = parameters.find((parameter) => parameter.startsWith("q="));
		const quality = weight === undefined ? 1 : Number(weight.slice(2)) || 0;
		if (type === "application/openmetrics-text") open = Math.max(open, quality);
		else if (type === "text/plain") text = Math.max(text, quality);
	}
	return open > 0 && open >= text;
}
