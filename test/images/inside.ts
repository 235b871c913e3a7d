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
	/** how much earlier than others the kernel ends it where memory runs out */
	readonly oomScore: number;
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
			const oomScore = Number(fs.readFileSync("/proc/" + pid + "/oom_score_adj"));
			found.push({ pid: Number(pid), parent: Number(parent), state, name, oomScore });
		} catch {} // it has ended
		console.log(JSON.stringify(found));`,
	);
	return JSON.parse(listed);
}

/** The loader: the child of the first process. */
export async function loaderOf(id: string): Promise<Process> {
	const loader = (await processes(id)).find(({ parent }) => parent === 1);
	assert.ok(loader, "process 1 has started the loader");
	return loader;
}

/** What the loader has started. */
export async function workers(id: string): Promise<Process[]> {
	const { pid } = await loaderOf(id);
	return (await processes(id)).filter(({ parent }) => parent === pid);
}

/** @param told what to say beside, if it never is */
export async function until(what: string, holds: () => Promise<boolean>, told: () => Promise<string> = async () => ""): Promise<void> {
	const deadline = Date.now() + PATIENCE_MS;
	while (!(await holds())) {
		if (Date.now() > deadline) assert.fail(`it never was ${what} ${await told()}`);
		await sleep(50);
	}
}
