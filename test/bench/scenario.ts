import type { Figure } from "./figure.ts";
import type { Options } from "./options.ts";
import type { Runtime } from "./runtimes.ts";

/** The arguments of every scenario. */
export interface Bench {
	readonly options: Options;
	readonly runtimes: readonly Runtime[];
	/** shows the progress */
	report(what: string): void;
	/** adds a note about a figure that is missing or not reliable */
	note(what: string): void;
}

/** One measurement, with its own servers. */
export interface Scenario {
	readonly name: string;
	readonly title: string;
	run(bench: Bench): Promise<Figure[]>;
}
