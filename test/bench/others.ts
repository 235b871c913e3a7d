import { readFileSync } from "node:fs";
import { cpuSeconds, TICKS_PER_SECOND } from "./processes.ts";

/** Begins to watch what this machine does beside the bench; the answer is how many CPUs that took, on average since then. */
export function watchOthers(): () => number {
	const started = performance.now();
	const before = foreignSeconds();
	return () => Math.max(0, (foreignSeconds() - before) / ((performance.now() - started) / 1000));
}

/** Processor time of all but this process and what it started, in `s`. */
function foreignSeconds(): number {
	// proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal
	const [user, nice, system, , , irq, softirq, steal] = (/^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1] ?? "")
		.split(" ")
		.map(Number) as [number, number, number, number, number, number, number, number];
	return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND - cpuSeconds(process.pid);
}
