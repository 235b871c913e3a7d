import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { PATIENCE_MS } from "../support/loader.ts";
import { must } from "./docker.ts";

/** A process in the container's PID namespace. */
export interface Process {
	readonly pid: number;
	readonly parent: number;
	readonly state: string;
	readonly name: string;
	/** oom_score_adj: with a higher value the kernel kills the process earlier */
	readonly oomScore: number;
}

/** Runs JavaScript in a container, which has Node.js but may have no shell. */
export function inside(id: string, script: string): Promise<string> {
	return must("exec", id, "/opt/kubeless/bin/node", "-e", script);
}

export async function processes(id: string): Promise<Process[]> {
	const listed = await inside(
		id,
		`const fs = require("fs"), found = [];
		for (const pid of fs.readdirSync("/proc").filter((name) => Number(name) && Number(name) !== process.pid)) try {
			const [, name, state, parent] = /\\((.*)\\) (\\S) (\\d+)/s.exec(fs.readFileSync("/proc/" + pid + "/stat", "utf8"));
			const oomScore = Number(fs.readFileSync("/proc/" + pid + "/oom_score_adj"));
			found.push({ pid: Number(pid), parent: Number(parent), state, name, oomScore });
		} catch {} // the process has ended
		console.log(JSON.stringify(found));`,
	);
	return JSON.parse(listed);
}

/** Returns the loader: the child of process 1. */
export async function loaderOf(id: string): Promise<Process> {
	const loader = (await processes(id)).find(({ parent }) => parent === 1);
	assert.ok(loader, "process 1 has started the loader");
	return loader;
}

/** Returns the children of the loader. */
export async function workers(id: string): Promise<Process[]> {
	const { pid } = await loaderOf(id);
	return (await processes(id)).filter(({ parent }) => parent === pid);
}

/** Waits until `holds` is true. @param details returns text for the error message */
export async function until(what: string, holds: () => Promise<boolean>, details: () => Promise<string> = async () => ""): Promise<void> {
	const deadline = Date.now() + PATIENCE_MS;
	while (!(await holds())) {
		if (Date.now() > deadline) assert.fail(`${what}: not within the time limit. ${await details()}`);
		await sleep(50);
	}
}
