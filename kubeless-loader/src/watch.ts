import { createHash } from "node:crypto";
import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";

/** Editors save in several steps, and a ConfigMap is swapped in several: how long it must be quiet, in `ms`. */
const QUIET_MS = 80;
/** Where it is never quiet: how long after the first change to look all the same, in `ms`. */
const PATIENCE_MS = 500;
/** Folders that are not the function's own source. */
const SKIPPED = /^(\.(?!\.data$).*|node_modules|__pycache__|venv|vendor|target|bin|obj|dist)$/;
const MOST_FOLDERS = 200;
const MOST_FILES = 2000;
/** Files over so many `bytes` count as changed when their time is. */
const LARGE = 1024 * 1024;

/** What the files that count hold, as a digest. */
export const folderState = (folder: string, counts: (name: string) => boolean): string => fingerprint(folder, counts).digest;

/** Calls back when the content of files that count has changed, not merely their times. */
export function watchFolder(folder: string, counts: (name: string) => boolean, changed: () => void): { close(): void } {
	let watchers: FSWatcher[] = [];
	let timer: NodeJS.Timeout | undefined;
	let latest: number | undefined;
	let seen = fingerprint(folder, counts);
	const look = () => {
		latest = undefined;
		const now = fingerprint(folder, counts);
		const folders = now.folders.join("\n") !== seen.folders.join("\n");
		const content = now.digest !== seen.digest;
		seen = now;
		if (folders) rewatch();
		if (content) changed();
	};
	const touched = () => {
		const now = performance.now();
		latest ??= now + PATIENCE_MS;
		clearTimeout(timer);
		timer = setTimeout(look, Math.max(0, Math.min(QUIET_MS, latest - now)));
	};
	const rewatch = () => {
		for (const watcher of watchers) watcher.close();
		watchers = seen.folders.flatMap((path) => {
			try {
				const watcher = watch(path, touched);
				watcher.on("error", touched);
				return [watcher];
			} catch {
				return []; // gone between the listing and now
			}
		});
	};
	rewatch();
	return {
		close() {
			clearTimeout(timer);
			for (const watcher of watchers) watcher.close();
		},
	};
}

function fingerprint(root: string, counts: (name: string) => boolean): { folders: string[]; digest: string } {
	const hash = createHash("sha256");
	const folders: string[] = [];
	let files = 0;
	const visit = (folder: string) => {
		if (folders.length >= MOST_FOLDERS) return;
		folders.push(folder);
		let names: string[];
		try {
			names = readdirSync(folder).sort();
		} catch {
			return;
		}
		for (const name of names) {
			if (SKIPPED.test(name)) continue;
			const path = join(folder, name);
			const stats = statSync(path, { throwIfNoEntry: false });
			if (stats?.isDirectory() && name !== "..data") visit(path);
			else if (stats?.isFile() && counts(name) && files++ < MOST_FILES) {
				hash.update(`${path}\0${stats.size}\0`);
				try {
					hash.update(stats.size > LARGE ? String(stats.mtimeMs) : readFileSync(path));
				} catch {
					// Gone, or not ours to read: its name alone counts.
				}
			}
		}
	};
	visit(root);
	return { folders, digest: hash.digest("hex") };
}
