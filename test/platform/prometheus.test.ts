import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { parse, stringify } from "yaml";
import { folder, PATIENCE_MS } from "../support/loader.ts";
import { describeWith } from "../support/needs.ts";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { dashboard, expressions } from "./dashboard.ts";
import { root, text } from "./manifests.ts";
import { troubled } from "./troubled.ts";

const missing = (command: string): string | false =>
	spawnSync(command, ["--version"]).status === 0 ? false : `${command} is not installed (Debian: apt-get install prometheus)`;
const place = join(root, "examples/compose/prometheus");

describeWith("Prometheus", missing("promtool") || missing("prometheus"), () => {
	test("accepts the configuration and the alerts, and each alert fires in its test case", () => {
		for (const words of [
			["check", "config", join(place, "prometheus.yaml")],
			["test", "rules", join(place, "rules.test.yaml")],
		]) {
			const { status, stdout, stderr } = spawnSync("promtool", words, { encoding: "utf8" });
			assert.equal(status, 0, stdout + stderr);
		}
	});

	test("has data for every panel of the dashboard, from a loader with failing calls", async (t) => {
		const { loader, again } = await troubled(t);
		const prometheus = await startPrometheus(t, loader.port);
		const empty = async () => {
			const shown = await Promise.all(
				expressions(dashboard()).map(async (one) => ({ ...one, count: (await prometheus.ask(one.expr)).length })),
			);
			return shown.filter(({ count }) => count === 0).map(({ panel, expr }) => `${panel}: ${expr}`);
		};
		// A rate needs two scrapes, and a new series needs calls after the first scrape.
		await prometheus.until("a scrape", async () => (await prometheus.ask("function_calls_total")).length > 0);
		await again();
		let left: string[] = [];
		await prometheus.until(
			"every panel",
			async () => {
				left = await empty();
				return left.length === 0;
			},
			() => left.join("\n"),
		);
		assert.deepEqual(
			(await prometheus.rules()).filter(({ health }) => health !== "ok"),
			[],
		);
	});
});

async function startPrometheus(owner: Owner, port: number) {
	const config = parse(text("examples/compose/prometheus/prometheus.yaml"));
	config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
	config.scrape_configs[0].static_configs[0].targets = [`127.0.0.1:${port}`];
	const data = folder(owner, { "prometheus.yaml": stringify(config), "rules.yaml": text("examples/compose/prometheus/rules.yaml") });
	const own = await freePort();
	const args = [`--config.file=${data}/prometheus.yaml`, `--storage.tsdb.path=${data}/data`, `--web.listen-address=127.0.0.1:${own}`];
	const child = spawn("prometheus", args, { stdio: "ignore" });
	owner.after(async () => {
		const ended = once(child, "exit");
		if (child.kill()) await ended;
	});
	const get = async (path: string) => {
		const response = await fetch(`http://127.0.0.1:${own}${path}`);
		const { status, data, error } = (await response.json()) as { status: string; data: never; error?: string };
		assert.equal(status, "success", `${path}: ${error}`);
		return data;
	};
	async function until(what: string, holds: () => Promise<boolean>, details = () => ""): Promise<void> {
		await poll(
			async () => (await holds().catch(() => false)) || undefined,
			() => `${what} is not seen: ${details()}`,
			3 * PATIENCE_MS,
		);
	}
	await until("Prometheus", async () => (await fetch(`http://127.0.0.1:${own}/-/ready`)).ok);
	return {
		until,
		ask: async (query: string) => ((await get(`/api/v1/query?query=${encodeURIComponent(query)}`)) as { result: unknown[] }).result,
		rules: async () => {
			const { groups } = (await get("/api/v1/rules")) as { groups: { rules: { health: string; name: string; lastError?: string }[] }[] };
			return groups.flatMap(({ rules }) => rules);
		},
	};
}

/** Returns a free port: Prometheus cannot report a port that it chose itself. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}
