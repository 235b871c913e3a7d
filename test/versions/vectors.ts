import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const LOADER = join(import.meta.dirname, "../../kubeless-loader/bin.mjs");

export interface Outcome {
	/** the exit code of `kubeless-loader conform`: 0 if all rules are kept */
	readonly code: number;
	/** what it printed */
	readonly output: string;
	/** the numbers of kept vectors */
	readonly mandatory: number;
	readonly optional: number;
}

/**
 * Plays the vectors of the wire to the worker of a manifest, with the programs that are first on
 * the PATH of `env`.
 * @param options further options of `kubeless-loader conform`
 */
export async function playVectors(manifest: string, env: NodeJS.ProcessEnv, options: readonly string[] = []): Promise<Outcome> {
	const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...own } = env;
	const args = [LOADER, "conform", "--manifest", manifest, ...options];
	const child = spawn(process.execPath, args, { env: own, stdio: ["ignore", "pipe", "pipe"] });
	let output = "";
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
	const [code] = await once(child, "close");
	const kept = (group: string) => Number(new RegExp(`^${group}: +(\\d+) kept`, "m").exec(output)?.[1] ?? 0);
	return { code: code ?? 1, output, mandatory: kept("Mandatory"), optional: kept("Optional") };
}
