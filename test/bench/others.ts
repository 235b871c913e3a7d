import { readFileSync } from "node:fs";
import { cpuSeconds, TICKS_PER_SECOND } from "./processes.ts";

/**
 * Starts to measure the CPU usage of other processes. Returns a function that returns the average
 * number of CPUs that they used.
 */
export function watchOthers(): () => number {
	const started = performance.now();
	const before = foreignSeconds();
	return () => Math.max(0, (foreignSeconds() - before) / ((performance.now() - started) / 1000));
}

/** Returns the CPU time of all processes except this one and its descendants, in s. */
function foreignSeconds(): number {
	// proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal
	const [user, nice, system, , , irq, softirq, steal] = (/^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1] ?? "")
		.split(" ")
		.map(Number) as [number, number, number, number, number, number, number, number];
	return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND - cpuSeconds(process.pid);
}
