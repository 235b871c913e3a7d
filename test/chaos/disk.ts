import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Owner } from "../support/owner.ts";

const SIZE_BYTES = 512 * 1024 * 1024;

/** Node.js keeps it for the next start of the loader. */
const COMPILE_CACHE = "node-compile-cache";

/**
 * The folder for a run's temporary files: as root a small file system of its own (tmpfs), which
 * can be filled.
 */
export class Disk {
	readonly folder: string;
	/** why it cannot be filled */
	readonly missing: string | undefined;
	#full = 0;

	constructor(owner: Owner) {
		const place = mkdtempSync(join(tmpdir(), "disk-"));
		this.folder = join(place, "t");
		mkdirSync(this.folder);
		owner.after(() => {
			if (this.missing === undefined) spawnSync("umount", ["--lazy", this.folder]);
			rmSync(place, { recursive: true, force: true });
		});
		const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_BYTES}`, "tmpfs", this.folder], { stdio: "ignore" });
		this.missing = status === 0 ? undefined : "only root can make a disk that is full";
	}

	/** the files in it, without caches */
	get left(): string[] {
		return readdirSync(this.folder).filter((name) => name !== COMPILE_CACHE);
	}

	/** Several may fill it at the same time. */
	fill(): void {
		if (this.#full++ > 0) return;
		// The kernel refuses a size below what is used, and that changes meanwhile.
		for (let spare = 0; !this.#resize(this.#usedBytes() + spare); spare += 64 * 1024);
	}

	empty(): void {
		if (--this.#full === 0) this.#resize(SIZE_BYTES);
	}

	/** At least one block: size 0 would mean no limit. */
	#usedBytes(): number {
		const { blocks, bfree, bsize } = statfsSync(this.folder);
		return Math.max(1, blocks - bfree) * bsize;
	}

	#resize(bytes: number): boolean {
		return spawnSync("mount", ["-o", `remount,size=${bytes}`, this.folder], { stdio: "ignore" }).status === 0;
	}
}
