import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/brokers", import.meta.url));

/**
 * Returns a folder that `fill` has filled, keyed by `content`. It is filled once, also if several
 * tests ask at the same time.
 */
export function cached(name: string, content: string, fill: (folder: string) => void): string {
	const folder = join(CACHE, `${name}-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`);
	if (existsSync(folder)) return folder;
	const fresh = `${folder}.${randomUUID()}`;
	mkdirSync(fresh, { recursive: true });
	try {
		fill(fresh);
		renameSync(fresh, folder);
	} catch (error) {
		rmSync(fresh, { recursive: true, force: true });
		if (!existsSync(folder)) throw error;
	}
	return folder;
}

export function run(command: string, ...args: string[]): string {
	return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 * 1024 * 1024 });
}
