// Runs the command in this process.
import { PassThrough, Readable } from "node:stream";
import { run } from "../src/program.ts";

export interface Ran {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** @param env variables beside those that make the output plain */
export async function kubeless(args: readonly string[], input = "", env: Readonly<Record<string, string>> = {}): Promise<Ran> {
	const text = { stdout: "", stderr: "" };
	const sink = (name: "stdout" | "stderr") => new PassThrough().on("data", (chunk) => (text[name] += chunk));
	const shell = { env, stdin: Readable.from([Buffer.from(input)]), stdout: sink("stdout"), stderr: sink("stderr") };
	const code = await run(args, shell, "0.0.0");
	await new Promise((resolve) => setImmediate(resolve)); // the sinks emit their last data
	return { code, ...text };
}
