import { chmodSync, copyFileSync, cpSync, existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { root } from "../platform/manifests.ts";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { must } from "./docker.ts";
import { imageOf, isCompiled, type Version } from "./images.ts";
import { openFolder } from "./pod.ts";

/** The examples of a language. */
export class Examples {
	readonly #place: string;
	readonly #names: Readonly<Record<string, string>>;
	readonly #version: Version;
	readonly suffix: string;

	private constructor(version: Version, place: string) {
		const home = join(root, "runtimes", version.id);
		const names = join(home, "examples/handlers.json");
		this.#place = place;
		this.#names = existsSync(names) ? JSON.parse(readFileSync(names, "utf8")) : {};
		this.#version = version;
		this.suffix = JSON.parse(readFileSync(join(home, "runtime.json"), "utf8")).suffixes[0];
	}

	/** Builds the examples that need it, in the base image of the language's installer. */
	static async of(owner: Owner, version: Version): Promise<Examples> {
		const home = join(root, "runtimes", version.id, "examples");
		if (!existsSync(join(home, "build.sh"))) return new Examples(version, home);
		const made = folder(owner);
		const volumes = ["-v", `${join(root, "runtimes")}:/runtimes:ro`, "-v", `${made}:/made`];
		await must("run", "--rm", ...volumes, version.installer, "sh", `/runtimes/${version.id}/examples/build.sh`, "/made");
		return new Examples(version, made);
	}

	/** Returns `module.handler` of an example, as in a Function. */
	handler(example: string, name: string): string {
		const given = this.#names[example] ?? example;
		return given.includes(".") ? given : `${given}.${name}`;
	}

	/** Makes a folder with this example only. Its file has the module name in `handler`. */
	folder(owner: Owner, example: string, handler: string): string {
		const place = folder(owner);
		const [module = ""] = handler.split(".");
		const whole = join(this.#place, example);
		if (existsSync(whole)) cpSync(whole, place, { recursive: true });
		else cpSync(this.file(example), join(place, example + this.suffix));
		renameSync(join(place, example + this.suffix), join(place, module + this.suffix));
		return place;
	}

	/** Makes a folder with only the hello example, compiled if the language needs that. */
	async hello(owner: Owner): Promise<string> {
		const place = openFolder(owner);
		const file = join(place, `hello${this.suffix}`);
		copyFileSync(this.file("hello"), file);
		chmodSync(file, 0o644);
		const { id, version } = this.#version;
		// Without a command the installer image compiles.
		if (isCompiled(this.#version)) await must("run", "--rm", "-v", `${place}:/kubeless`, imageOf(`${id}-installer`, version));
		return place;
	}

	file(example: string): string {
		return join(this.#place, example + this.suffix);
	}
}
