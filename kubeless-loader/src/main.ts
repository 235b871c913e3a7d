import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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
