// Notices changes of the function's files.
import { createHash } from "node:crypto";
import { type Dirent, type FSWatcher, readdirSync, readFileSync, realpathSync, type Stats, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Editors and ConfigMaps change files in several steps: how long the folder must be quiet, in ms.
 */
const QUIET_MS = 80;
/** How long after the first change a folder that is never quiet is compared, in ms. */
const MAX_DELAY_MS = 500;
/** Hidden entries are ignored, but for the link through which a ConfigMap is swapped. */
const HIDDEN = /^\.(?!\.data$)/;
const MAX_FOLDERS = 200;
const MAX_FILES = 2000;
/** Files larger than this (bytes) are compared by mtime, not by content. */
const MAX_READ_BYTES = 1024 * 1024;

/** Returns true if changes of a file, or of the files in a folder, count. */
export type IsWatched = (name: string, isFolder: boolean) => boolean;

/** Returns a digest of all watched files. */
export const folderState = (folder: string, isWatched: IsWatched): string => fingerprint(folder, isWatched).digest;

/** Calls back when the content of watched files has changed, not only their times. */
export function watchFolder(folder: string, isWatched: IsWatched, changed: () => void): { close(): void } {
	let watchers: FSWatcher[] = [];
	let timer: NodeJS.Timeout | undefined;
	let latest: number | undefined;
	let seen = fingerprint(folder, isWatched);
	const compare = () => {
		latest = undefined;
		const now = fingerprint(folder, isWatched);
		const folders = now.folders.join("\n") !== seen.folders.join("\n");
		const content = now.digest !== seen.digest;
		seen = now;
		if (folders) rewatch();
		if (content) changed();
	};
	const touched = () => {
		const now = performance.now();
		latest ??= now + MAX_DELAY_MS;
		clearTimeout(timer);
		timer = setTimeout(compare, Math.max(0, Math.min(QUIET_MS, latest - now)));
	};
	const rewatch = () => {
		for (const watcher of watchers) watcher.close();
		watchers = seen.folders.flatMap((path) => {
			try {
				const watcher = watch(path, touched);
				watcher.on("error", touched);
				return [watcher];
			} catch {
				return []; // it was removed since it was listed
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

/**
 * Returns undefined for what is not there or cannot be reached: a link that leads to itself, a
 * forbidden folder.
 */
function statsOf(path: string): Stats | undefined {
	try {
		return statSync(path);
	} catch {
		return undefined;
	}
}

function fingerprint(root: string, isWatched: IsWatched): { folders: string[]; digest: string } {
	const hash = createHash("sha256");
	/** folders to watch */
	const folders = new Set<string>();
	/** device and inode: a link may lead to a folder that was visited, or that it is in */
	const visited = new Set<string>();
	let files = 0;
	const visit = (folder: string, { dev, ino }: Stats) => {
		const id = `${dev}:${ino}`;
		if (visited.has(id) || visited.size >= MAX_FOLDERS) return;
		visited.add(id);
		folders.add(folder);
		let entries: Dirent[];
		try {
			entries = readdirSync(folder, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1));
		} catch {
			return;
		}
		for (const entry of entries) {
			const { name } = entry;
			if (HIDDEN.test(name)) continue;
			const path = join(folder, name);
			const stats = statsOf(path);
			if (!stats || !isWatched(name, stats.isDirectory())) continue;
			if (stats.isDirectory()) {
				if (name !== "..data") visit(path, stats);
			} else if (stats.isFile() && files++ < MAX_FILES) {
				hash.update(`${path}\0${stats.size}\0`);
				try {
					// A link's target changes without an event in the folder of the link.
					if (entry.isSymbolicLink()) folders.add(dirname(realpathSync(path)));
					hash.update(stats.size > MAX_READ_BYTES ? String(stats.mtimeMs) : readFileSync(path));
				} catch {
					// It was removed, or this user may not read it: its name and size count.
				}
			}
		}
	};
	const stats = statsOf(root);
	if (stats !== undefined) visit(root, stats);
	return { folders: [...folders], digest: hash.digest("hex") };
}
