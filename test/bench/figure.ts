import { median } from "./rounds.ts";
import targets from "./targets.json" with { type: "json" };

export type Unit = "µs" | "ms" | "calls/s" | "MB/s" | "MiB" | "MB" | "%" | "calls" | "workers";

/**
 * The good direction, the target and the goal of a figure. A target with another unit than the
 * figure is a bug.
 */
export interface Target {
	readonly better: "less" | "more";
	readonly reach?: number;
	readonly aim?: number;
}

/** A row of the table. */
export interface Figure {
	readonly what: string;
	/** the owner: a runtime, or the loader */
	readonly of: string;
	readonly unit: Unit;
	/** the medians over the rounds, of the figure and of the bare server */
	readonly value: number;
	readonly bare?: number;
	/**
	 * the compared quantity: the value, or its ratio to or difference from the bare server's value in
	 * the same round
	 */
	readonly compared: "value" | "ratio" | "difference";
	/** the median of the compared quantity, its minimum and maximum */
	readonly figure: number;
	readonly least: number;
	readonly most: number;
	readonly target?: Target;
	readonly samples: readonly number[];
	readonly bareSamples?: readonly number[];
}

export interface FigureParts {
	readonly what: string;
	readonly of: string;
	readonly unit: Unit;
	/** one value per round */
	readonly samples: readonly number[];
	/** the values of the bare server in the same rounds, for a ratio or a difference */
	readonly against?: { readonly samples: readonly number[]; readonly as: "ratio" | "difference" };
	/** the target's name in targets.json */
	readonly target?: keyof typeof targets;
}

export function figure({ what, of, unit, samples, against, target }: FigureParts): Figure {
	const compared = against?.as ?? "value";
	// Compares within a round: measurements a second apart have the same load from other processes.
	const figures = samples.map((sample, round) => compare(sample, against?.samples[round] ?? Number.NaN, compared));
	return {
		what,
		of,
		unit,
		value: median(samples),
		...(against && { bare: median(against.samples), bareSamples: against.samples }),
		compared,
		figure: median(figures),
		least: Math.min(...figures),
		most: Math.max(...figures),
		...(target && { target: targetOf(target, of) }),
		samples,
	};
}

function compare(sample: number, bare: number, as: Figure["compared"]): number {
	if (as === "value") return sample;
	return as === "ratio" ? sample / bare : sample - bare;
}

/** Returns the target, which may have another value for this runtime. */
function targetOf(name: keyof typeof targets, of: string): Target {
	const { runtimes, ...target } = targets[name] as Target & { runtimes?: Record<string, Partial<Target>> };
	return { ...target, ...runtimes?.[of] };
}
