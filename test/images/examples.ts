import { cpSync, existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { root } from "../platform/manifests.ts";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { must } from "./docker.ts";
import type { Version } from "./images.ts";

/** A language's examples, as they are put into a function's folder. */
export class Examples {
	readonly #place: string;
	readonly #names: Readonly<Record<string, string>>;
	readonly suffix: string;

	private constructor(place: string, names: Readonly<Record<string, string>>, suffix: string) {
		this.#place = place;
		this.#names = names;
		this.suffix = suffix;
	}

	/** Those that have to be built are, in the image that the language's installer is based on. */
	static async of(owner: Owner, { id, installer }: Version): Promise<Examples> {
		const home = join(root, "runtimes", id);
		const { suffixes } = JSON.parse(readFileSync(join(home, "runtime.json"), "utf8"));
		const given = join(home, "examples/handlers.json");
		const names = existsSync(given) ? JSON.parse(readFileSync(given, "utf8")) : {};
		if (!existsSync(join(home, "examples/build.sh"))) return new Examples(join(home, "examples"), names, suffixes[0]);
		const made = folder(owner);
		const volumes = ["-v", `${join(root, "runtimes")}:/runtimes:ro`, "-v", `${made}:/made`];
		await must("run", "--rm", ...volumes, installer, "sh", `/runtimes/${id}/examples/build.sh`, "/made");
		return new Examples(made, names, suffixes[0]);
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

	file(example: string): string {
		return join(this.#place, example + this.suffix);
	}
}
