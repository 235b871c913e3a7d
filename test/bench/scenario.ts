import type { Figure } from "./figure.ts";
import type { Options } from "./options.ts";
import type { Runtime } from "./runtimes.ts";

/** What every scenario is given. */
export interface Bench {
	readonly options: Options;
	readonly runtimes: readonly Runtime[];
	/** tells what goes on, while it does */
	say(what: string): void;
	/** tells why a figure is missing or not to be trusted */
	note(what: string): void;
}

/** One thing to measure, on servers of its own. */
export interface Scenario {
	readonly name: string;
	readonly title: string;
	run(bench: Bench): Promise<Figure[]>;
}
