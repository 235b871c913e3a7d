import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { PATIENCE_MS } from "../support/loader.ts";
import { must } from "./docker.ts";

/** A process as the container sees it. */
export interface Process {
	readonly pid: number;
	readonly parent: number;
	readonly state: string;
	readonly name: string;
}

/** Runs JavaScript in a container, which has a Node.js and need not have a shell. */
export function inside(id: string, script: string): Promise<string> {
	return must("exec", id, "/opt/kubeless/bin/node", "-e", script);
}

export async function processes(id: string): Promise<Process[]> {
	const listed = await inside(
		id,
		`const fs = require("fs"), found = [];
		for (const pid of fs.readdirSync("/proc").filter((name) => Number(name) && Number(name) !== process.pid)) try {
			const [, name, state, parent] = /\\((.*)\\) (\\S) (\\d+)/s.exec(fs.readFileSync("/proc/" + pid + "/stat", "utf8"));
			found.push({ pid: Number(pid), parent: Number(parent), state, name });
		} catch {} // it has ended
		console.log(JSON.stringify(found));`,
	);
	return JSON.parse(listed);
}

/** The workers: what the loader, the child of the first process, has started. */
export async function workers(id: string): Promise<Process[]> {
	const all = await processes(id);
	const loader = all.find(({ parent }) => parent === 1);
	return all.filter(({ parent }) => parent === loader?.pid);
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
	const deadline = Date.now() + PATIENCE_MS;
	while (!(await holds())) {
		assert.ok(Date.now() < deadline, `it never was ${what}`);
		await sleep(50);
	}
}
