import { chmodSync, copyFileSync, cpSync, existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { root } from "../platform/manifests.ts";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { must } from "./docker.ts";
import { imageOf, isCompiled, type Version } from "./images.ts";
import { openFolder } from "./pod.ts";

/** A language's examples, as they are put into a function's folder. */
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

	/** Those that have to be built are, in the image that the language's installer is based on. */
	static async of(owner: Owner, version: Version): Promise<Examples> {
		const home = join(root, "runtimes", version.id, "examples");
		if (!existsSync(join(home, "build.sh"))) return new Examples(version, home);
		const made = folder(owner);
		const volumes = ["-v", `${join(root, "runtimes")}:/runtimes:ro`, "-v", `${made}:/made`];
		await must("run", "--rm", ...volumes, version.installer, "sh", `/runtimes/${version.id}/examples/build.sh`, "/made");
		return new Examples(version, made);
	}

	/** `module.handler`, as a Function names an example's. */
	handler(example: string, name: string): string {
		const given = this.#names[example] ?? example;
		return given.includes(".") ? given : `${given}.${name}`;
	}

	/** A folder with nothing but this example, its module named as `handler` does. */
	folder(owner: Owner, example: string, handler: string): string {
		const place = folder(owner);
		const [module = ""] = handler.split(".");
		const whole = join(this.#place, example);
		if (existsSync(whole)) cpSync(whole, place, { recursive: true });
		else cpSync(this.file(example), join(place, example + this.suffix));
		renameSync(join(place, example + this.suffix), join(place, module + this.suffix));
		return place;
	}

	/** A folder with hello and nothing else, compiled where that takes a compiler. */
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
