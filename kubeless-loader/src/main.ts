// kubeless-loader: serves one function over HTTP, in any language that has a runtime.json. The
// files of this folder are the program: what is served (container.ts, local/), the life of the
// function (application.ts) and the HTTP surface (serve.ts, server.ts). This file is the entry: it
// chooses the command, and writes why the loader ends.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runContainer } from "./container.ts";
import { StartError } from "./errors.ts";
import { USAGE } from "./local/arguments.ts";
import { serveFile } from "./local/run.ts";
import { writeTerminationMessage } from "./termination-log.ts";

declare const LOADER_VERSION: string;

const home = dirname(fileURLToPath(import.meta.url));
// In a checkout the bundle is two folders below the root; in an image its runtime is beside it.
const checkout = join(home, "../../runtimes");
const baked = join(home, "runtimes");
const runtimes = existsSync(baked) || !existsSync(checkout) ? baked : checkout;

// Off-heap buffers count against V8's heap growth limit. By default V8 runs a full mark every ~10
// MB of request bodies, which takes half of the CPU time of calls with 64 KiB; 400 % makes that
// every ~40 MB.
setFlagsFromString("--heap-growing-percent=400");

restoreNodeOptions(process.env);
try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	const text = error instanceof StartError ? error.message : (error as Error).stack;
	writeTerminationMessage(`kubeless-loader: ${text}`, process.env["KUBELESS_TERMINATION_LOG"] ?? "/dev/termination-log");
	process.exitCode = 1;
}
// Sockets and timers that are still open must not keep the process running.
process.exit();

/**
 * NODE_OPTIONS is the function's: the loader was started without it, and hands it to the workers.
 */
function restoreNodeOptions(env: NodeJS.ProcessEnv): void {
	const { KUBELESS_NODE_OPTIONS: options } = env;
	if (options === undefined) return;
	delete env["KUBELESS_NODE_OPTIONS"];
	delete env["NODE_OPTIONS"];
	if (options !== "") env["NODE_OPTIONS"] = options;
}

async function main([command, ...rest]: string[]): Promise<number> {
	switch (command) {
		case undefined:
			await runContainer(process.env, runtimes);
			return 0;
		case "run":
			return serveFile(rest, process.env, runtimes);
		case "conform": {
			const { conform } = await import("./conform/command.ts");
			return conform(rest, process.env);
		}
		case "help":
		case "--help":
		case "-h":
			process.stdout.write(USAGE);
			return 0;
		case "--version":
			process.stdout.write(`${LOADER_VERSION}\n`);
			return 0;
		default:
			throw new StartError("USAGE", `Unknown command "${command}". See kubeless-loader --help.`);
	}
}
