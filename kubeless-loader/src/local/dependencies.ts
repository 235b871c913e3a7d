import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { StartError } from "../errors.ts";
import { expand, type Manifest } from "../manifest.ts";
import { signalGroup, startGroup } from "../worker/process/process-group.ts";

/** Characters of an installer's output that are shown when it fails. */
const MAX_OUTPUT = 4000;

/** Installs dependency files into folders of the user's cache, once per content. */
export class DependencyCache {
	readonly #root: string;
	readonly #env: Readonly<NodeJS.ProcessEnv>;
	readonly #print: (line: string) => void;
	readonly #underWay = new Map<string, Promise<string>>();
	/** running installers and the folders they fill */
	readonly #running = new Map<ChildProcess, string>();

	constructor(env: Readonly<NodeJS.ProcessEnv>, print: (line: string) => void) {
		const base = env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache");
		this.#root = env["KUBELESS_LOADER_CACHE"] || join(base, "kubeless-loader");
		this.#env = env;
		this.#print = print;
	}

	/**
	 * Returns the folder with the dependencies that `file` lists, installing them first if needed; without dependencies,
	 * an empty folder.
	 * @throws {StartError} DEPENDENCIES_FAILED with the installer's output
	 */
	async installed(manifest: Manifest, file: string): Promise<string> {
		const folder = join(this.#root, manifest.id);
		if (!manifest.install || !hasContent(file)) return this.#empty(folder);
		const place = join(folder, this.#key(manifest, file));
		if (existsSync(place)) return place;
		const installation = this.#underWay.get(place);
		if (installation) return installation;
		const installing = this.#install(manifest, file, folder, place).finally(() => this.#underWay.delete(place));
		this.#underWay.set(place, installing);
		return installing;
	}

	async #install(manifest: Manifest, file: string, folder: string, place: string): Promise<string> {
		const started = performance.now();
		this.#print(`Installing ${file} (once) …`);
		// Installed aside first: an interrupted installation must not look complete.
		const aside = `${place}.${process.pid}`;
		removeAbandoned(folder);
		rmSync(aside, { recursive: true, force: true });
		mkdirSync(aside, { recursive: true });
		try {
			await this.#run(manifest, aside, file);
			if (!existsSync(place)) renameSync(aside, place);
		} finally {
			rmSync(aside, { recursive: true, force: true });
		}
		this.#print(`Installed in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
		return place;
	}

	/** Ends running installers and removes their unfinished folders. */
	stop(): void {
		for (const [child, aside] of this.#running) {
			signalGroup(child.pid, "SIGKILL");
			rmSync(aside, { recursive: true, force: true });
		}
	}

	#empty(folder: string): string {
		const place = join(folder, "none");
		mkdirSync(place, { recursive: true });
		return place;
	}

	/** Returns a key of all that decides what is installed: the file, its locks, the installer, the platform, PATH. */
	#key(manifest: Manifest, file: string): string {
		const hash = createHash("sha256");
		const locks = (manifest.lockFiles ?? []).map((name) => join(dirname(file), name));
		for (const path of [file, ...locks]) hash.update(existsSync(path) ? readFileSync(path) : "").update("\0");
		hash.update(JSON.stringify([manifest.install, process.arch, this.#env["PATH"]]));
		return hash.digest("hex").slice(0, 16);
	}

	#run(manifest: Manifest, volume: string, file: string): Promise<void> {
		const env: NodeJS.ProcessEnv = {
			...this.#env,
			RUNTIME_DIR: manifest.folder,
			KUBELESS_INSTALL_VOLUME: volume,
			KUBELESS_DEPS_FILE: file,
		};
		const command = (manifest.install ?? []).map((word) => expand(word, env));
		const child = startGroup({ command, env, cwd: volume }, ["ignore", "pipe", "pipe"]);
		this.#running.set(child, volume);
		let output = "";
		const keep = (text: Buffer) => {
			output = (output + text).slice(-MAX_OUTPUT);
		};
		child.stdout?.on("data", keep);
		child.stderr?.on("data", keep);
		return new Promise((resolve, reject) => {
			const failed = (why: string) => reject(new StartError("DEPENDENCIES_FAILED", `Cannot install ${file}: ${why}\n${output.trimEnd()}`));
			child.on("error", (error) => failed(error.message));
			child.on("close", () => this.#running.delete(child));
			child.on("close", (code, signal) =>
				code === 0 ? resolve() : failed(signal ? `the installer was ended by ${signal}` : `the installer ended with exit code ${code}`),
			);
		});
	}
}

function hasContent(file: string): boolean {
	return existsSync(file) && readFileSync(file, "utf8").trim() !== "";
}

/** Removes folders of interrupted installations; a folder's name ends in the id of the process that made it. */
function removeAbandoned(folder: string): void {
	for (const name of existsSync(folder) ? readdirSync(folder) : []) {
		const pid = /^[0-9a-f]{16}\.(\d+)$/.exec(name)?.[1];
		if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
	}
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}
