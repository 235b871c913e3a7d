import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runContainer } from "./container.ts";
import { runAtDesk, USAGE } from "./desk/run.ts";
import { StartError } from "./errors.ts";
import { sayWhyItEnds } from "./last-words.ts";

declare const LOADER_VERSION: string;

const home = dirname(fileURLToPath(import.meta.url));
// In a checkout the bundle lies two folders down; in an image its runtime lies beside it.
const checkout = join(home, "../../runtimes");
const baked = join(home, "runtimes");
const runtimes = existsSync(baked) || !existsSync(checkout) ? baked : checkout;

// V8 counts the bodies that have come since it last collected against the growth of its heap, where they do not lie: at its own pace it
// would mark all of the loader's 11 MB every 10 MB of bodies, which is half of the CPU that calls of 64 KiB take. So it is every 40 MB.
setFlagsFromString("--heap-growing-percent=400");

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	const known = error instanceof StartError;
	sayWhyItEnds(
		`kubeless-loader: ${known ? error.message : (error as Error).stack}`,
		process.env["KUBELESS_TERMINATION_LOG"] ?? "/dev/termination-log",
	);
	process.exitCode = 1;
}
// What the function left open (a socket, a timer) must not keep the loader.
process.exit();

async function main([command, ...rest]: string[]): Promise<number> {
	switch (command) {
		case undefined:
			await runContainer(process.env, runtimes);
			return 0;
		case "run":
			return runAtDesk(rest, process.env, runtimes);
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
			throw new StartError("USAGE", `There is no command "${command}": kubeless-loader --help shows those there are.`);
	}
}
