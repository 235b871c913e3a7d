import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { against } from "../against.ts";
import { temporaryFolder } from "../children.ts";
import { contest, type Sample } from "../contest.ts";
import type { Figure } from "../figure.ts";
import type { Scenario } from "../scenario.ts";
import { BARE_SERVER, type ServerSpec, trivialLoader } from "../servers.ts";

const CONNECTIONS = 32;
const SIZE = 64 * 1024;

const proxyOf = (name: string): ServerSpec => ({
	name,
	command: [process.execPath, fileURLToPath(new URL(`../proxies/${name}.mjs`, import.meta.url))],
	env: {},
	probe: "/",
});

/** The bare server behind a loader and behind proxies. CPU time is the sum of proxy and server. */
export const proxy: Scenario = {
	name: "proxy",
	title: `a web server behind the loader, GET hello world and POST of ${SIZE / 1024} KiB, ${CONNECTIONS} connections`,
	async run(bench): Promise<Figure[]> {
		const folder = temporaryFolder();
		const file = join(folder, "body");
		writeFileSync(file, Buffer.alloc(SIZE, "0123456789abcdef"));
		const body = { file, type: "application/octet-stream" };
		const loader = { spec: loaderBefore(folder) };
		const proxies = [{ spec: proxyOf("undici") }];
		if (spawnSync("nginx", ["-v"]).error === undefined) proxies.push({ spec: proxyOf("nginx") });
		else bench.note("nginx is not measured: it is not installed (on Debian: apt-get install nginx)");
		const figures: Figure[] = [];
		for (const [what, load] of [
			["GET", { connections: CONNECTIONS }],
			["POST", { connections: CONNECTIONS, body }],
		] as const) {
			const samples = await contest(bench, [...proxies, loader], load);
			for (const other of proxies) {
				const beside = (figure: string) => `${what}, ${figure}, bare is ${other.spec.name}`;
				figures.push(
					...against(samples, other, [loader], { what: beside("CPU per call"), unit: "µs", value: ({ cpu }: Sample) => cpu, as: "ratio" }),
					...against(samples, other, [loader], {
						what: beside("calls per second"),
						unit: "calls/s",
						value: ({ rate }) => rate,
						as: "ratio",
					}),
				);
			}
		}
		return figures;
	},
};

function loaderBefore(folder: string): ServerSpec {
	const manifest = join(folder, "runtime.json");
	writeFileSync(manifest, JSON.stringify({ id: "bare", concurrency: "async", speaks: "http", worker: BARE_SERVER.command }));
	return { ...trivialLoader({ KUBELESS_RUNTIME_MANIFEST: manifest }), name: "loader" };
}
