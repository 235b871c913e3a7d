import { readFileSync } from "node:fs";

/**
 * The fields of V8's .cpuprofile format (DevTools protocol, Profiler.Profile) that self times need.
 * Times in µs.
 */
interface CpuProfile {
	readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
	/** on the clock of process.hrtime, which all processes of a machine share */
	readonly startTime: number;
	/** the running node of each sample */
	readonly samples: readonly number[];
	/** the time between a sample and its predecessor */
	readonly timeDeltas: readonly number[];
}

interface CallFrame {
	readonly functionName: string;
	readonly url: string;
	/** counted from 0 */
	readonly lineNumber: number;
}

/** The self time of a function, without the functions that it called. */
export interface SelfTime {
	readonly name: string;
	/** file:line; "" for code that is not JavaScript */
	readonly place: string;
	/** in µs */
	readonly self: number;
}

export interface ProfileSummary {
	/** longest first, without idle time */
	readonly functions: readonly SelfTime[];
	/** the total time without idle time, in µs */
	readonly busy: number;
}

/** Pseudo functions that use no CPU. */
const WAITING = new Set(["(idle)", "(root)"]);

/** Returns the self times between two readings of process.hrtime, in µs. */
export function readCpuProfile(file: string, from: number, to: number): ProfileSummary {
	const profile: CpuProfile = JSON.parse(readFileSync(file, "utf8"));
	const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
	const times = new Map<string, SelfTime>();
	let busy = 0;
	let now = profile.startTime;
	for (const [index, id] of profile.samples.entries()) {
		now += profile.timeDeltas[index] ?? 0;
		const frame = frames.get(id);
		if (now < from || now > to || !frame || WAITING.has(frame.functionName)) continue;
		// A sample counts for the time until the next one.
		const self = profile.timeDeltas[index + 1] ?? 0;
		const key = `${frame.functionName} ${frame.url} ${frame.lineNumber}`;
		const before = times.get(key)?.self ?? 0;
		times.set(key, { name: frame.functionName || "(anonymous)", place: placeOf(frame), self: before + self });
		busy += self;
	}
	return { functions: [...times.values()].sort((a, b) => b.self - a.self), busy };
}

const placeOf = ({ url, lineNumber }: CallFrame): string => (url === "" ? "" : `${url}:${lineNumber + 1}`);
