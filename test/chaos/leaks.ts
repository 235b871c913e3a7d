// What a loader leaves behind.
import { readdirSync, readFileSync } from "node:fs";
import type { Loader } from "../support/loader.ts";
import { poll } from "../support/poll.ts";
import { processesOf } from "../support/processes.ts";
import type { Disk } from "./disk.ts";
import type { Finding } from "./judge.ts";
import { childrenOf, descriptorsOf, signal } from "./processes.ts";

/** How long things may take to go, in ms: only what stays reaches it. */
const PATIENCE_MS = 20_000;
/** The wire, standard output and standard error of a worker. */
const PER_WORKER = 3;

/** Returns how many file descriptors the loader has, without those of its workers. */
export function ownDescriptors({ child }: Loader): number {
	const pid = child.pid as number;
	return descriptorsOf(pid).length - PER_WORKER * childrenOf(pid).length;
}

/** Waits until an idle loader has the descriptors of its start, and no open call. */
export async function findOpen(loader: Loader, atStart: number): Promise<Finding[]> {
	const found: Finding[] = [];
	const idle = () => loader.figures().then((figures) => (figures.inFlight === 0 && figures.of("function_queue_length") === 0) || undefined);
	if (!(await settles(idle))) found.push({ kind: "leaked", what: "calls in flight or in the queue of an idle loader" });
	if (!(await settles(() => ownDescriptors(loader) <= atStart || undefined))) {
		const kinds = Map.groupBy(descriptorsOf(loader.child.pid as number), (kind) => kind);
		const list = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(", ");
		found.push({ kind: "leaked", what: `${ownDescriptors(loader) - atStart} file descriptors of the loader: ${list}` });
	}
	return found;
}

/** Waits until all that a loader started has gone, after its end. Ends what stays. */
export async function findProcesses(loader: Loader): Promise<Finding[]> {
	await settles(() => processesOf(loader.marker).length === 0 || undefined);
	return processesOf(loader.marker).map((pid) => {
		const what = `process ${commandOf(pid)}`;
		signal(pid, "SIGKILL");
		return { kind: "leaked", what };
	});
}

/**
 * Finds temporary files after a loader's end. A worker that was killed cannot remove its files: the
 * next one does.
 */
export async function findFiles(disk: Disk, startAgain: () => Promise<Loader>): Promise<Finding[]> {
	if (disk.left.length > 0) await (await startAgain()).stop();
	return disk.left.map((name) => ({ kind: "leaked", what: `file ${name}: ${listOf(`${disk.folder}/${name}`)}` }));
}

const settles = (fits: () => true | undefined | Promise<true | undefined>): Promise<boolean> =>
	poll(fits, () => "", PATIENCE_MS).catch(() => false);

function commandOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
	} catch {
		return String(pid);
	}
}

function listOf(path: string): string {
	try {
		return readdirSync(path).join(", ");
	} catch {
		return "no folder";
	}
}
