// The plan of a run: what is called, and what happens when. It follows from the seed alone, and is
// the same for every language.
import { Random } from "../support/random.ts";

/** What a function does in a call (README). */
export type Action = "answer" | "echo" | "stream" | "sleep" | "raise" | "die" | "hoard" | "print" | "spawn" | "wire";

/** How a caller sends its calls. */
export type Manner = "keep-alive" | "pipelined" | "half-closed" | "slow" | "chunked" | "http/1.0" | "aborting";

export interface PlannedCall {
	readonly id: string;
	readonly action: Action;
	/** how often, how many bytes, or how many ms */
	readonly number: number;
	/** of the request, in bytes */
	readonly length: number;
	readonly gzip: boolean;
	/** chooses details: where a body is split, when a caller leaves */
	readonly random: Random;
}

export interface PlannedCaller {
	readonly manner: Manner;
	readonly calls: readonly PlannedCall[];
}

export type Fault =
	/** a process of the loader is killed, which may still be loading the function */
	| { readonly what: "kill" }
	/** a worker is stopped (SIGSTOP) and continued after `ms`; undefined: never */
	| { readonly what: "freeze"; readonly ms: number | undefined }
	/** the function's file is replaced */
	| { readonly what: "swap"; readonly to: "two" | "broken"; readonly way: "rename" | "write" }
	/** a worker gets no more memory (prlimit) for `ms` */
	| { readonly what: "starve"; readonly ms: number }
	/** a worker gets no more file descriptors (prlimit) for `ms` */
	| { readonly what: "exhaust"; readonly ms: number }
	/** the disk of the temporary files is full for `ms` */
	| { readonly what: "fill"; readonly ms: number };

export interface PlannedFault {
	/** how many calls have ended before */
	readonly after: number;
	readonly fault: Fault;
	/** which of the processes */
	readonly which: number;
}

export interface Plan {
	readonly seed: number;
	readonly env: Readonly<Record<string, string>>;
	readonly callers: readonly PlannedCaller[];
	readonly faults: readonly PlannedFault[];
	/** how the loader ends: after all calls, or during them by one SIGTERM, two SIGTERM, or SIGKILL */
	readonly end: "quiet" | "drain" | "at once" | "killed";
	/** how many calls have ended before */
	readonly endAfter: number;
}

/** FUNC_TIMEOUT, in seconds. A call to a stopped worker takes this long. */
export const TIMEOUT_S = 2;
/** REQ_MB_LIMIT; some bodies are longer. */
export const LIMIT_BYTES = 1024 * 1024;

const CALLERS = 9;
const CALLS = 12;

export function planOf(seed: number): Plan {
	const random = new Random(seed);
	let id = 0;
	const end = random.pick<Plan["end"]>(["quiet", "quiet", "drain", "at once", "killed"]);
	// In a container the end of the loader ends all processes. Elsewhere those of the function stay.
	const common = end === "killed" ? COMMON.filter((action) => action !== "spawn") : COMMON;
	/** An action that ends its worker is rare: else there would be no other call to harm. */
	const harmful = random.pick<Action[]>([[], [], ["die"], ["wire"], ["hoard"]]);
	const call = (): PlannedCall => {
		const action = random.below(25) === 0 && harmful[0] ? harmful[0] : random.pick(common);
		const length = action === "echo" && random.below(15) === 0 ? LIMIT_BYTES + 1 : random.pick([0, 0, 100, 5000, 200_000]);
		return {
			id: `c${++id};`,
			action,
			number: numberOf(action, random),
			length,
			// Not every kind of worker has the loader inflate bodies.
			gzip: length <= LIMIT_BYTES && random.below(10) === 0,
			random: new Random(random.below(2 ** 32)),
		};
	};
	const callers = Array.from({ length: CALLERS }, () => ({
		manner: random.pick(MANNERS),
		calls: Array.from({ length: CALLS }, call),
	}));
	const swaps: Fault[] = random.pick([[], [], [swap("two", random)], [swap("broken", random), swap("two", random)]]);
	const faults = Array.from({ length: random.below(5) }, () => faultOf(random));
	const endAfter = end === "quiet" ? CALLERS * CALLS : 20 + random.below(CALLERS * CALLS - 40);
	const last = endAfter - 15;
	return {
		seed,
		env: {
			FUNC_TIMEOUT: String(TIMEOUT_S),
			REQ_MB_LIMIT: String(LIMIT_BYTES / 1024 / 1024),
			FUNC_WORKERS: random.pick(["1", "2"]),
			...random.pick([{}, { FUNC_CONCURRENCY: "1" }, { FUNC_CONCURRENCY: "4" }]),
			...random.pick([{}, {}, { FUNC_QUEUE_LENGTH: "2" }]),
		},
		callers,
		faults: [...placed(swaps, last, random), ...placed(faults, last, random)].sort((one, other) => one.after - other.after),
		end,
		endAfter,
	};
}

const COMMON: readonly Action[] = ["answer", "answer", "answer", "echo", "echo", "stream", "sleep", "raise", "print", "spawn"];
const MANNERS: readonly Manner[] = ["keep-alive", "pipelined", "half-closed", "slow", "chunked", "http/1.0", "aborting"];

function numberOf(action: Action, random: Random): number {
	switch (action) {
		case "sleep":
			return random.pick([1, 10, 50, 200]);
		case "stream":
			return random.pick([1, 3, 500]);
		case "print":
			return random.pick([1, 50, 40_000]);
		case "answer":
			return random.pick([1, 1, 1, 20_000]);
		default:
			return 1;
	}
}

const swap = (to: "two" | "broken", random: Random): Fault => ({ what: "swap", to, way: random.pick(["rename", "write"]) });

function faultOf(random: Random): Fault {
	const ms = random.pick([5, 50, 300]);
	switch (random.below(7)) {
		case 0:
			return { what: "freeze", ms: random.pick([ms, undefined]) };
		case 1:
			return { what: "starve", ms };
		case 2:
			return { what: "exhaust", ms };
		case 3:
			return { what: "fill", ms };
		default:
			return { what: "kill" };
	}
}

/**
 * Faults come before `last` calls have ended, so that they harm others; those of a list stay in
 * their order.
 */
function placed(faults: readonly Fault[], last: number, random: Random): PlannedFault[] {
	const places = faults.map(() => random.below(last)).sort((one, other) => one - other);
	return faults.map((fault, at) => ({ after: places[at] as number, fault, which: random.below(64) }));
}
