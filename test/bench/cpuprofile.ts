import { readFileSync } from "node:fs";

/** The part of V8's .cpuprofile format (DevTools protocol, Profiler.Profile) that self times need; times in `µs`. */
interface CpuProfile {
	readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
	/** of the same clock as process.hrtime, for all processes of a machine */
	readonly startTime: number;
	/** the node that ran, sample by sample */
	readonly samples: readonly number[];
	/** between a sample and the one before it */
	readonly timeDeltas: readonly number[];
}

interface CallFrame {
	readonly functionName: string;
	readonly url: string;
	/** from 0 */
	readonly lineNumber: number;
}

/** How long a function ran itself, what it called not included. */
export interface SelfTime {
	readonly name: string;
	/** file:line; "" for what is no JavaScript */
	readonly place: string;
	/** in `µs` */
	readonly self: number;
}

export interface ProfileSummary {
	/** longest first; waiting is not among them */
	readonly functions: readonly SelfTime[];
	/** time spent with anything but waiting, in `µs` */
	readonly busy: number;
}

/** What no CPU was needed for. */
const WAITING = new Set(["(idle)", "(root)"]);

/** The self times of a profile between two readings of process.hrtime, in `µs`. */
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
		// A sample stands for the time until the next one.
		const self = profile.timeDeltas[index + 1] ?? 0;
		const key = `${frame.functionName} ${frame.url} ${frame.lineNumber}`;
		const before = times.get(key)?.self ?? 0;
		times.set(key, { name: frame.functionName || "(anonymous)", place: placeOf(frame), self: before + self });
		busy += self;
	}
	return { functions: [...times.values()].sort((a, b) => b.self - a.self), busy };
}

const placeOf = ({ url, lineNumber }: CallFrame): string => (url === "" ? "" : `${url}:${lineNumber + 1}`);
