import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { keep } from "./children.ts";

const SCRIPT = fileURLToPath(new URL("./wrk.lua", import.meta.url));

/** The options of wrk, which runs with one thread because the server needs the other CPUs. */
export interface Load {
	readonly port: number;
	readonly path?: string;
	readonly connections: number;
	/** in s */
	readonly duration: number;
	/** the body of a POST request */
	readonly body?: { readonly file: string; readonly type: string };
}

export interface LoadResult {
	readonly calls: number;
	readonly seconds: number;
	/** latencies in µs */
	readonly p50: number;
	readonly p99: number;
	/** the number of responses other than 2xx or 3xx */
	readonly refused: number;
	/** the number of calls without a response */
	readonly broken: number;
}

/** Returns wrk's version, or undefined if it is not on PATH. */
export function wrkVersion(): string | undefined {
	// wrk prints its version and exits with 1, as it has no URL.
	const { error, stdout } = spawnSync("wrk", ["--version"], { encoding: "utf8" });
	return error ? undefined : (/^wrk (\S+)/m.exec(stdout)?.[1] ?? "unknown");
}

/** Runs wrk. @throws if wrk fails */
export async function wrk({ port, path = "/", connections, duration, body }: Load): Promise<LoadResult> {
	const child = keep(
		spawn("wrk", ["-t1", `-c${connections}`, `-d${Math.ceil(duration)}s`, "-s", SCRIPT, `http://127.0.0.1:${port}${path}`], {
			env: { PATH: process.env["PATH"], ...(body && { BENCH_BODY: body.file, BENCH_TYPE: body.type }) },
			stdio: ["ignore", "pipe", "pipe"],
		}),
	);
	let output = "";
	for (const stream of [child.stdout, child.stderr]) stream?.on("data", (bytes) => (output += bytes));
	const [code] = await once(child, "close");
	const figures = /^\{.*\}$/m.exec(output)?.[0];
	if (code !== 0 || figures === undefined) throw new Error(`wrk ended with exit code ${code}: ${output.trim()}`);
	return JSON.parse(figures);
}
