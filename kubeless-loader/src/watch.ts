import { createHash } from "node:crypto";
import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";

/** Editors save in several steps, and a ConfigMap is swapped in several: how long it must be quiet, in `ms`. */
const QUIET_MS = 80;
/** Folders that are not the function's own source. */
const SKIPPED = /^(\.(?!\.data$).*|node_modules|__pycache__|venv|vendor|target|bin|obj|dist)$/;
const MOST_FOLDERS = 200;
const MOST_FILES = 2000;
/** Files over so many `bytes` count as changed when their time is. */
const LARGE = 1024 * 1024;

/** Calls back when the content of a folder has changed, not merely its times; the next time only after `changed` is done. */
export function watchFolder(folder: string, changed: () => Promise<void>): { close(): void } {
	let watchers: FSWatcher[] = [];
	let timer: NodeJS.Timeout | undefined;
	let seen = fingerprint(folder);
	let busy = Promise.resolve();
	const look = () => {
		const now = fingerprint(folder);
		const folders = now.folders.join("\n") !== seen.folders.join("\n");
		const content = now.digest !== seen.digest;
		seen = now;
		if (folders) rewatch();
		if (content) busy = busy.then(changed);
	};
	const touched = () => {
		clearTimeout(timer);
		timer = setTimeout(look, QUIET_MS);
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

function fingerprint(root: string): { folders: string[]; digest: string } {
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
			else if (stats?.isFile() && files++ < MOST_FILES) {
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
