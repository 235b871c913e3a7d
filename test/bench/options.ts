import { parseArgs } from "node:util";

export interface Options {
	/** the time of one measurement, in s */
	readonly duration: number;
	readonly rounds: number;
	/** the number of measured process starts */
	readonly starts: number;
	/** the time of each load of the overload scenario, in s */
	readonly overload: number;
	/** the runtimes to measure; undefined: all that are installed */
	readonly only: readonly string[] | undefined;
	/** the scenarios to run; undefined: all */
	readonly scenarios: readonly string[] | undefined;
	/** a file for the results, in addition to the one in results/ */
	readonly output: string | undefined;
}

export class UsageError extends Error {}

const usage = (scenarios: readonly string[]): string => `Usage: npm run bench -- [options]

Measures what a call costs through the loader and a worker, against a bare node:http server in the same rounds.

  --duration S      seconds of one measurement (default 3)
  --rounds N        rounds, of which the median counts (default 5)
  --only A,B        only these runtimes (default: every one in runtimes/ with examples/hello.*)
  --scenarios A,B   only these of ${scenarios.join(", ")}
  --overload S      seconds of each load in the scenario overload (default 60)
  --quick           one second and three rounds: to see that it works, not to quote
  --output FILE     write the results there too
  --help            this text
`;

/**
 * Parses the command line. Returns the options, or the help as a string.
 * @throws {UsageError} one sentence with a hint
 */
export function readOptions(args: string[], scenarios: readonly string[]): Options | string {
	const values = parse(args);
	if (values.help) return usage(scenarios);
	const chosen = words(values.scenarios);
	const unknown = chosen?.find((name) => !scenarios.includes(name));
	if (unknown !== undefined) throw new UsageError(`There is no scenario "${unknown}": give some of ${scenarios.join(", ")}.`);
	return {
		duration: above0("--duration", values.duration, values.quick ? 1 : 3),
		rounds: Math.ceil(above0("--rounds", values.rounds, values.quick ? 3 : 5)),
		starts: values.quick ? 3 : 7,
		overload: above0("--overload", values.overload, values.quick ? 6 : 60),
		only: words(values.only),
		scenarios: chosen,
		output: values.output,
	};
}

function parse(args: string[]) {
	const text = { type: "string" } as const;
	const flag = { type: "boolean" } as const;
	const options = {
		duration: text,
		rounds: text,
		only: text,
		scenarios: text,
		overload: text,
		quick: flag,
		output: text,
		help: { ...flag, short: "h" },
	};
	try {
		return parseArgs({ args, options }).values;
	} catch (cause) {
		throw new UsageError(`${(cause as Error).message}. npm run bench -- --help shows the options.`);
	}
}

const words = (list: string | undefined): string[] | undefined => list?.split(",").map((word) => word.trim());

export function above0(name: string, given: string | undefined, fallback: number): number {
	const value = given === undefined ? fallback : Number(given);
	if (value > 0 && Number.isFinite(value)) return value;
	throw new UsageError(`${name} is "${given}": give a number above 0.`);
}
