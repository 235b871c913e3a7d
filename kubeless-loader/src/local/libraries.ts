import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Preparation } from "../application.ts";
import type { Manifest } from "../manifest.ts";
import type { DependencyCache } from "./dependencies.ts";

/** The libraries that a worker offers to functions, installed if they are not. */
export class Libraries {
	readonly #manifest: Manifest;
	readonly #cache: DependencyCache;
	readonly #print: (line: string) => void;
	/** one attempt: without a network each would take long */
	#onDemand: Promise<string> | undefined;
	#later: Promise<boolean> | undefined;

	constructor(manifest: Manifest, cache: DependencyCache, print: (line: string) => void) {
		this.#manifest = manifest;
		this.#cache = cache;
		this.#print = print;
	}

	/**
	 * Returns where they are, or will be: a worker that finds them on demand starts before they are
	 * installed.
	 */
	async find(): Promise<Preparation> {
		const { libraries, librariesOnDemand, folder } = this.#manifest;
		// An image has them already.
		if (!libraries || existsSync(join(folder, "libraries"))) return { env: {}, later: undefined };
		const file = join(folder, libraries);
		if (!librariesOnDemand) return { env: { RUNTIME_LIBRARIES: await this.#cache.installed(this.#manifest, file) }, later: undefined };
		this.#onDemand ??= this.#begin(file);
		return { env: { RUNTIME_LIBRARIES: await this.#onDemand }, later: this.#later };
	}

	async #begin(file: string): Promise<string> {
		const { place, installing } = await this.#cache.begin(this.#manifest, file, { quiet: true });
		const what = `the libraries that the ${this.#manifest.name} worker offers to functions`;
		this.#later = installing?.then(
			() => {
				this.#print(`Installed ${what} (once).`);
				return true;
			},
			(error: Error) => {
				this.#print(`Without ${what}: ${error.message}`);
				return false;
			},
		);
		this.#later?.then(() => {
			this.#later = undefined;
		});
		return place;
	}
}
