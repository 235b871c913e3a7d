import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test, { before, describe } from "node:test";
import { startFake } from "../support/fake.ts";
import type { Figures } from "../support/figures.ts";
import type { Loader } from "../support/loader.ts";
import { suiteOwner } from "../support/owner.ts";
import { WireTap } from "../support/wire-tap.ts";

const BUCKETS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];

describe("/metrics", () => {
	const owner = suiteOwner();
	let loader: Loader;
	let figures: Figures;
	before(async () => {
		loader = await startFake(owner);
		for (const path of ["/", "/", "/slow?60", "/throw"]) await loader.ask(path);
		await loader.ask({ body: "x" });
		await loader.ask({ method: "OPTIONS" });
		figures = await loader.figures();
	});

	test("counts calls, failures and durations by method, as `kubeless function top` reads them", () => {
		assert.equal(figures.of('function_calls_total{method="GET"}'), 4);
		assert.equal(figures.of('function_calls_total{method="POST"}'), 1);
		assert.equal(figures.of('function_failures_total{method="GET"}'), 1);
		assert.ok(figures.has('function_failures_total{method="POST"}'), "all three series of a method come together");
		assert.equal(figures.of('function_duration_seconds_count{method="GET"}'), 4);
		const sum = figures.of('function_duration_seconds_sum{method="GET"}');
		assert.ok(sum >= 0.055 && sum < 5, String(sum));
		assert.ok(!figures.has('function_calls_total{method="OPTIONS"}'));
	});

	test("has Kubeless's buckets, with cumulative counts", () => {
		const bounds = [...figures.text.matchAll(/^function_duration_seconds_bucket\{le="([^"]+)",method="GET"\} (\d+)$/gm)];
		assert.deepEqual(
			bounds.map(([, bound]) => bound),
			BUCKETS,
		);
		const counts = bounds.map(([, , count]) => Number(count));
		assert.deepEqual(
			counts,
			counts.toSorted((a, b) => a - b),
		);
		assert.equal(counts.at(-1), 4);
	});

	test("has Kubeless's help texts", () => {
		for (const [name, help, type] of [
			["function_duration_seconds", "Duration of user function in seconds", "histogram"],
			["function_calls_total", "Number of calls to user function", "counter"],
			["function_failures_total", "Number of exceptions in user function", "counter"],
		]) {
			assert.match(figures.text, new RegExp(`^# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`, "m"));
		}
	});

	test("has a valid format in every line", () => {
		assert.ok(figures.text.endsWith("\n"));
		const seen = new Set<string>();
		for (const line of figures.text.trimEnd().split("\n")) {
			if (line === "" || /^# (HELP|TYPE) [a-z_:][a-z0-9_:]* ./.test(line)) continue;
			assert.match(line, /^[a-z_:][a-z0-9_:]*(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? (-?[\d.]+(e[+-]?\d+)?|[+-]Inf|Nan|NaN)$/i);
			const series = line.slice(0, line.lastIndexOf(" "));
			assert.ok(!seen.has(series), `${series} stands there twice`);
			seen.add(series);
		}
	});

	test("has metrics of the process, the workers and the queue", () => {
		for (const name of [
			"process_resident_memory_bytes",
			"process_cpu_seconds_total",
			"nodejs_eventloop_lag_seconds",
			"function_calls_in_flight",
			"function_queue_length",
			"function_queue_wait_seconds_count",
			"function_workers_ready",
			"function_workers_memory_bytes",
			"function_worker_starts_total",
			"function_load_seconds",
			"function_request_size_bytes_count",
			"function_response_size_bytes_count",
			"function_timeouts_total",
		]) {
			assert.ok(figures.has(name), name);
		}
		assert.ok(figures.of("function_workers_memory_bytes") > 1_000_000);
		assert.ok(figures.of("function_load_seconds") > 0.005);
	});

	test("has no label `function`, which Prometheus relabels from the pod", () => {
		assert.doesNotMatch(figures.text, /[{,]function="/);
	});

	test("has Prometheus's text format, and OpenMetrics if the request accepts that", async () => {
		const plain = await loader.ask("/metrics");
		assert.match(plain.headers["content-type"] ?? "", /^text\/plain; (charset=utf-8; version=0\.0\.4|version=0\.0\.4; charset=utf-8)$/);
		const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
		const open = await loader.ask({ path: "/metrics", headers: { Accept: accept } });
		assert.match(open.headers["content-type"] ?? "", /^application\/openmetrics-text/);
		assert.ok(open.text.endsWith("# EOF\n"));
		assert.match(open.text, /^# TYPE function_calls counter\n[^#]*^function_calls_total\{method="GET"\} 4$/m);
		// A response in one format must not change the next in the other format.
		const again = await loader.ask("/metrics");
		assert.match(again.text, /^# TYPE function_calls_total counter$/m);
		assert.doesNotMatch(again.text, /# EOF/);
	});

	test("is correct for concurrent scrapes in both formats", async () => {
		const accept = "application/openmetrics-text";
		const answers = await Promise.all(
			[0, 1, 2, 3, 4, 5].map((number) => loader.ask({ path: "/metrics", headers: number % 2 ? { Accept: accept } : {} })),
		);
		answers.forEach(({ text }, number) => {
			assert.equal(text.endsWith("# EOF\n"), number % 2 === 1);
			assert.match(text, /^function_calls_total\{method="GET"\} 4$/m);
		});
	});

	test("is OpenMetrics where the scraper rates it as high as text, by the weights of its Accept header", async () => {
		for (const [accept, isOpen] of [
			["application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", true],
			["application/openmetrics-text;q=0.3,text/plain;q=0.6", false],
			["text/plain;q=0.5, Application/OpenMetrics-Text; Q=0.5", true],
			["application/openmetrics-text;q=0", false],
			["*/*", false],
		] as const) {
			const { text } = await loader.ask({ path: "/metrics", headers: { Accept: accept } });
			assert.equal(text.endsWith("# EOF\n"), isOpen, accept);
		}
	});

	test("has no complaint of promtool", {
		skip: spawnSync("promtool", ["--version"]).status !== 0 && "promtool is not installed",
	}, async () => {
		const { text } = await loader.figures();
		const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
		assert.equal(status, 0, stdout + stderr);
	});

	test("has the class of the status that a function sets itself, and none for a failure", async (t) => {
		const own = await startFake(t);
		for (const status of [200, 204, 404, 503, 700]) await own.ask(`/status?${status}`);
		await own.ask("/throw");
		const answers = ["2xx", "3xx", "4xx", "5xx", "other"].map((status) => `function_responses_total{status="${status}"}`);
		const got = await own.figures();
		assert.deepEqual(
			answers.map((series) => got.of(series)),
			[2, 0, 1, 1, 1],
		);
	});

	test("counts all unknown methods in one series, so that callers cannot add series", async (t) => {
		for (const method of ["PROPFIND", "PURGE", "MKCOL", "REPORT"]) assert.equal((await loader.ask({ method })).status, 200);
		const tap = await WireTap.open(loader.port, t);
		await tap.write("INVENTED / HTTP/1.1\r\nHost: x\r\n\r\n").untilEnd();
		const { text } = await loader.figures();
		assert.match(text, /^function_calls_total\{method="OTHER"\} 4$/m);
		assert.doesNotMatch(text, /PROPFIND|PURGE|INVENTED/);
	});
});
