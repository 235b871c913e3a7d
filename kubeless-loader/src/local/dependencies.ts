import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { StartError } from "../errors.ts";
import { expand, type Manifest } from "../manifest.ts";
import { canStart } from "../worker/process/process-group.ts";
import { cacheKey, type Dependencies } from "./cache-key.ts";
import { Commands } from "./commands.ts";
import { checkToolchain } from "./toolchain.ts";

/** Characters of an installer's output that are shown when it fails. */
const MAX_OUTPUT = 4000;
/** Installations in a row whose files changed meanwhile; the last one is used, but not kept. */
const MAX_ATTEMPTS = 3;

/** Dependencies that are installed, or are about to be. */
export interface Installation {
	/** the path at which they are found once they are complete */
	readonly place: string;
	/** fulfilled with the folder when they are complete; undefined: they are */
	readonly installing: Promise<string> | undefined;
}

interface Options {
	/** the function's file: it is not installed, so a change of it installs nothing */
	readonly functionFile?: string;
	/** prints nothing: the caller announces the result */
	readonly quiet?: boolean;
}

/**
 * Installs dependencies into folders of the user's cache, once per key. A package manager may write
 * a folder's path into its files, so an installation stays where it is made: <key>.<pid>.<random>.
 * When it is complete a link <key> leads to it.
 */
export class DependencyCache {
	readonly #root: string;
	readonly #env: NodeJS.ProcessEnv;
	readonly #print: (line: string) => void;
	readonly #underWay = new Map<string, Promise<string>>();
	readonly #commands = new Commands();
	/** folders to which no link leads: unfinished, or of files that kept changing */
	readonly #unlinked = new Set<string>();

	constructor(env: Readonly<NodeJS.ProcessEnv>, print: (line: string) => void) {
		const base = env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache");
		this.#root = env["KUBELESS_LOADER_CACHE"] || join(base, "kubeless-loader");
		this.#env = env;
		this.#print = print;
	}

	/**
	 * Checks that the language's programs exist.
	 * @throws {StartError} LANGUAGE_MISSING
	 */
	async checkLanguage(manifest: Manifest): Promise<void> {
		const [worker] = manifest.worker;
		const [check = worker] = manifest.toolchain?.check ?? [];
		const missing = [worker, check].some((program) => program && !canStart({ command: [program], env: this.#env, cwd: manifest.folder }));
		if (missing) await checkToolchain(manifest, this.#env, this.#commands);
	}

	/**
	 * Returns the folder with the dependencies that `file` lists, installing them first if needed;
	 * without dependencies, an empty folder.
	 * @throws {StartError} DEPENDENCIES_FAILED with the installer's output, or LANGUAGE_MISSING
	 */
	async installed(manifest: Manifest, file: string, options?: Options): Promise<string> {
		const { place, installing } = await this.begin(manifest, file, options);
		return installing ?? place;
	}

	/** Begins to install what is not installed yet. */
	async begin(manifest: Manifest, file: string, { functionFile, quiet = false }: Options = {}): Promise<Installation> {
		const folder = join(this.#root, manifest.id);
		if (!manifest.install || !hasContent(file)) return { place: this.#empty(folder), installing: undefined };
		const dependencies = { manifest, file, cache: this.#root, ...(functionFile !== undefined && { functionFile }) };
		const key = await cacheKey(dependencies, this.#env, this.#commands);
		const place = join(folder, key);
		if (existsSync(place)) return { place: realpathSync(place), installing: undefined };
		const known = this.#underWay.get(place);
		const installing = known ?? this.#install(dependencies, place, quiet).finally(() => this.#underWay.delete(place));
		this.#underWay.set(place, installing);
		installing.catch(() => {}); // the caller may await it later
		return { place, installing };
	}

	/** Ends running installers and removes what they leave. */
	stop(): void {
		this.#commands.stop();
		for (const folder of this.#unlinked) rmSync(folder, { recursive: true, force: true });
	}

	async #install(dependencies: Dependencies, place: string, quiet: boolean): Promise<string> {
		const { manifest, file } = dependencies;
		const started = performance.now();
		await checkToolchain(manifest, this.#env, this.#commands);
		if (!quiet) this.#print(`Installing ${file} (once) …`);
		mkdirSync(dirname(place), { recursive: true });
		removeAbandoned(dirname(place));
		let link = place;
		for (let attempt = 1; ; attempt++) {
			const folder = mkdtempSync(`${link}.${process.pid}.`);
			this.#unlinked.add(folder);
			try {
				await this.#run(manifest, folder, file);
			} catch (error) {
				this.#remove(folder);
				throw error;
			}
			// A file that was saved meanwhile may have been read before or after that.
			const after = join(dirname(place), await cacheKey(dependencies, this.#env, this.#commands));
			if (after === link || attempt === MAX_ATTEMPTS) {
				const done = after === link ? this.#publish(folder, link) : folder;
				if (!quiet) this.#print(`Installed in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
				return done;
			}
			this.#remove(folder);
			link = after;
		}
	}

	/**
	 * Makes the link through which later starts find an installation. Returns the folder; another
	 * process may have been first.
	 */
	#publish(folder: string, link: string): string {
		if (!existsSync(link)) rmSync(link, { force: true }); // its folder was removed
		try {
			symlinkSync(folder, link);
			this.#unlinked.delete(folder);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
			this.#remove(folder);
		}
		return realpathSync(link);
	}

	#remove(folder: string): void {
		rmSync(folder, { recursive: true, force: true });
		this.#unlinked.delete(folder);
	}

	#empty(folder: string): string {
		const place = join(folder, "none");
		mkdirSync(place, { recursive: true });
		return place;
	}

	async #run(manifest: Manifest, volume: string, file: string): Promise<void> {
		const env: NodeJS.ProcessEnv = {
			...this.#env,
			RUNTIME_DIR: manifest.folder,
			KUBELESS_INSTALL_VOLUME: volume,
			KUBELESS_DEPS_FILE: file,
		};
		const command = (manifest.install ?? []).map((word) => expand(word, env));
		const { code, signal, error, output } = await this.#commands.run(command, volume, env);
		if (code === 0) return;
		const why = error?.message ?? (signal ? `the installer was ended by ${signal}` : `the installer ended with exit code ${code}`);
		throw new StartError("DEPENDENCIES_FAILED", `Cannot install ${file}: ${why}\n${output.slice(-MAX_OUTPUT).trimEnd()}`);
	}
}

function hasContent(file: string): boolean {
	return existsSync(file) && readFileSync(file, "utf8").trim() !== "";
}

/** Removes folders that no link leads to and whose process has ended. */
function removeAbandoned(folder: string): void {
	const names = readdirSync(folder);
	const linked = new Set(names.filter((name) => /^[0-9a-f]{16}$/.test(name)).map((name) => targetOf(join(folder, name))));
	for (const name of names) {
		const path = join(folder, name);
		const pid = /^[0-9a-f]{16}\.(\d+)\.\w+$/.exec(name)?.[1];
		if (pid !== undefined && !linked.has(path) && !isAlive(Number(pid))) rmSync(path, { recursive: true, force: true });
	}
}

function targetOf(link: string): string {
	try {
		return readlinkSync(link);
	} catch {
		return link; // an older version made a folder
	}
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}
