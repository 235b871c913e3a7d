import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { keep } from "./children.ts";

const SCRIPT = fileURLToPath(new URL("./wrk.lua", import.meta.url));

/** What wrk is to do; it uses one thread, since the server needs the other CPUs. */
export interface Load {
	readonly port: number;
	readonly path?: string;
	readonly connections: number;
	/** in `s` */
	readonly duration: number;
	/** a body to POST */
	readonly body?: { readonly file: string; readonly type: string };
}

export interface LoadResult {
	readonly calls: number;
	readonly seconds: number;
	/** latencies in `µs` */
	readonly p50: number;
	readonly p99: number;
	/** answers that were not 2xx or 3xx */
	readonly refused: number;
	/** calls without an answer */
	readonly broken: number;
}

/** wrk's version, or undefined where it is not on PATH. */
export function wrkVersion(): string | undefined {
	// It says its version and then, for want of a URL, exits with 1.
	const { error, stdout } = spawnSync("wrk", ["--version"], { encoding: "utf8" });
	return error ? undefined : (/^wrk (\S+)/m.exec(stdout)?.[1] ?? "unknown");
}

/** @throws wrk did not do what it was to do */
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
