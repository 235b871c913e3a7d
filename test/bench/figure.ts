import { median } from "./rounds.ts";
import targets from "./targets.json" with { type: "json" };

export type Unit = "µs" | "ms" | "calls/s" | "MB/s" | "MiB" | "MB" | "%" | "calls" | "workers";

/** Which way is good, what to reach and what then to aim for; a target of another unit than the figure's is an error of ours. */
export interface Target {
	readonly better: "less" | "more";
	readonly reach?: number;
	readonly aim?: number;
}

/** One line of the table. */
export interface Figure {
	readonly what: string;
	/** whose it is: a runtime, or the loader */
	readonly of: string;
	readonly unit: Unit;
	/** the median over the rounds, of it and of the bare server */
	readonly value: number;
	readonly bare?: number;
	/** what the target speaks of: the value, or round by round its ratio to bare's or what it adds to bare's */
	readonly compared: "value" | "ratio" | "difference";
	/** the median of that, its least and its most */
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
	/** one per round */
	readonly samples: readonly number[];
	/** of the bare server in the same rounds, for a ratio or a difference */
	readonly against?: { readonly samples: readonly number[]; readonly as: "ratio" | "difference" };
	/** the target's name in targets.json */
	readonly target?: keyof typeof targets;
}

export function figure({ what, of, unit, samples, against, target }: FigureParts): Figure {
	const compared = against?.as ?? "value";
	// Round by round: two measurements a second apart share what else went on in the machine.
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

/** A target may say something else for a runtime of its own. */
function targetOf(name: keyof typeof targets, of: string): Target {
	const { runtimes, ...target } = targets[name] as Target & { runtimes?: Record<string, Partial<Target>> };
	return { ...target, ...runtimes?.[of] };
}
