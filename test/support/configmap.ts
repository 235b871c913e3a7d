import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "./loader.ts";
import type { Owner } from "./owner.ts";

type Files = Readonly<Record<string, string | Buffer>>;

/**
 * A mounted ConfigMap as the kubelet writes it: the files are links through `..data`, a link to a
 * folder with the time as its name. An update makes a new folder and replaces the link by a rename,
 * so that all files change atomically.
 */
export class ConfigMap {
	readonly volume: string;
	#updates = 0;
	#current: string;

	constructor(owner: Owner, files: Files) {
		this.volume = folder(owner);
		this.#current = this.#write(files);
		symlinkSync(this.#current, join(this.volume, "..data"));
		for (const name of Object.keys(files)) symlinkSync(join("..data", name), join(this.volume, name));
	}

	update(files: Files): void {
		const before = this.#current;
		this.#current = this.#write(files);
		symlinkSync(this.#current, join(this.volume, "..data_tmp"));
		renameSync(join(this.volume, "..data_tmp"), join(this.volume, "..data"));
		rmSync(join(this.volume, before), { recursive: true });
	}

	#write(files: Files): string {
		const name = `..2026_11_22_10_00_${String(this.#updates++).padStart(2, "0")}.123456789`;
		mkdirSync(join(this.volume, name));
		for (const [file, text] of Object.entries(files)) writeFileSync(join(this.volume, name, file), text);
		return name;
	}
}
