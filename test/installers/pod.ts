import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Owner } from "../support/owner.ts";

/** The two commands, as in the images. */
export const COMMANDS = fileURLToPath(new URL("../../images/installer", import.meta.url));
const RUNTIMES = fileURLToPath(new URL("../../runtimes", import.meta.url));
/** The user of Kubeless's pods. */
const USER = 1000;

/** The PATH of a phase: this Node.js and the machine's programs. */
const PATH = `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`;

/**
 * The pod's user, if the tests run as root and that user can read the checkout; else the current
 * user.
 */
const asUser: { uid?: number; gid?: number } =
	process.getuid?.() === 0 && spawnSync("test", ["-r", join(RUNTIMES, "runtime.schema.json")], { uid: USER, gid: USER }).status === 0
		? { uid: USER, gid: USER }
		: {};

export type Files = Readonly<Record<string, string | Buffer>>;

export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	/** stdout and stderr */
	readonly output: string;
	/** the content of the termination log */
	readonly log: string;
	/** the files in TMPDIR after the end; empty if the phase has removed its files */
	readonly left: string[];
}

export interface PodOptions {
	/** the runtime's id, or its folder */
	readonly runtime: string;
	/** the dependency file's name */
	readonly depsFile?: string;
	/** the files that the prepare step has put into /kubeless */
	readonly files?: Files;
	/** secrets of the phase: name/key and value */
	readonly secrets?: Files;
	readonly env?: Readonly<Record<string, string | undefined>>;
	/** the size of the volume, which needs root */
	readonly diskKiB?: number;
	/** the handler, for the compile phase */
	readonly handler?: string;
	/** the command of `sh -c`; default: kubeless-install or kubeless-compile */
	readonly command?: string;
	/** the command of the shell */
	readonly shell?: readonly string[];
}

/**
 * A pod without containers: a volume, and phases that run on it with the arguments and variables of
 * Kubeless's controller.
 */
export class Pod {
	readonly volume: string;
	readonly #place: string;
	readonly #options: PodOptions;

	constructor(owner: Owner, options: PodOptions) {
		this.#place = folderFor(owner);
		this.#options = options;
		this.volume = options.diskKiB ? smallDisk(owner, options.diskKiB) : join(this.#place, "kubeless");
		mkdirSync(this.volume, { recursive: true });
		this.write(options.files ?? {});
		for (const name of ["tmp", "secrets"]) mkdirSync(join(this.#place, name));
		put(join(this.#place, "secrets"), options.secrets ?? {});
		writeFileSync(join(this.#place, "log"), "");
		own(this.#place);
	}

	write(files: Files): void {
		put(this.volume, files);
		own(this.volume);
	}

	/**
	 * Starts a phase's init container: `sh -c`, the volume as working folder, the controller's
	 * variables, no HOME.
	 */
	start(phase: "install" | "compile", env: PodOptions["env"] = {}) {
		const {
			runtime,
			depsFile = "deps",
			handler = "handler",
			shell = ["sh"],
			command = join(COMMANDS, `kubeless-${phase}`),
		} = this.#options;
		const [program = "sh", ...args] = [...shell, "-c", command];
		const variables = {
			PATH,
			KUBELESS_CACHE: join(this.#place, "none"),
			TMPDIR: join(this.#place, "tmp"),
			...this.#options.env,
			KUBELESS_INSTALL_VOLUME: this.volume,
			...(phase === "install" ? { KUBELESS_DEPS_FILE: join(this.volume, depsFile) } : { KUBELESS_FUNC_NAME: handler }),
			// Replaces paths that only exist in an image.
			KUBELESS_RUNTIME_MANIFEST: join(runtime.includes("/") ? runtime : join(RUNTIMES, runtime), "runtime.json"),
			KUBELESS_TERMINATION_LOG: join(this.#place, "log"),
			KUBELESS_SECRETS: join(this.#place, "secrets"),
			...env,
		};
		const child = spawn(program, args, {
			...asUser,
			cwd: this.volume,
			env: Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)),
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
		const ended = new Promise<Ended>((resolve, reject) => {
			child.on("error", reject);
			child.on("close", (code, signal) => resolve({ code, signal, output, log: this.#log(), left: readdirSync(join(this.#place, "tmp")) }));
		});
		return {
			ended,
			/** Returns the output so far. */
			output: () => output,
			/** Kills all its processes, as the end of a container does. */
			kill: () => process.kill(-(child.pid as number), "SIGKILL"),
		};
	}

	run(phase: "install" | "compile", env?: PodOptions["env"]): Promise<Ended> {
		return this.start(phase, env).ended;
	}

	/** The volume's files and folders, without .kubeless. */
	get listing(): string[] {
		return (readdirSync(this.volume, { recursive: true, encoding: "utf8" }) as string[])
			.filter((name) => !name.startsWith(".kubeless"))
			.sort();
	}

	has(name: string): boolean {
		return existsSync(join(this.volume, name));
	}

	read(name: string): string {
		return readFileSync(join(this.volume, name), "utf8");
	}

	bom(): Bom {
		return JSON.parse(this.read(".kubeless/bom.cdx.json"));
	}

	#log(): string {
		return readFileSync(join(this.#place, "log"), "utf8");
	}
}

export interface Bom {
	readonly components: readonly {
		readonly name: string;
		readonly version?: string;
		readonly purl?: string;
		readonly hashes?: readonly { readonly alg: string }[];
		readonly "bom-ref": string;
	}[];
}

/** Makes a folder that belongs to the pod's user and is removed after the test. */
export function folderFor(owner: Owner, files: Files = {}): string {
	const place = mkdtempSync(join(tmpdir(), "installers-"));
	owner.after(() => {
		// Go's module cache has read-only folders.
		spawnSync("chmod", ["-R", "u+rwX", place]);
		rmSync(place, { recursive: true, force: true });
	});
	put(place, files);
	chmodSync(place, 0o755);
	own(place);
	return place;
}

/** Returns whether the pod's user can run a command. */
export function works([command = "", ...args]: readonly string[]): boolean {
	return spawnSync(command, args, { ...asUser, env: { PATH, HOME: tmpdir() }, stdio: "ignore" }).status === 0;
}

export const isRoot = asUser.uid === undefined && process.getuid?.() === 0;

function smallDisk(owner: Owner, kiB: number): string {
	const place = mkdtempSync(join(tmpdir(), "installers-disk-"));
	owner.after(() => {
		spawnSync("umount", [place]);
		rmSync(place, { recursive: true });
	});
	const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kiB}k`, "none", place], { encoding: "utf8" });
	if (status !== 0) throw new Error(stderr);
	return place;
}

function put(place: string, files: Files): void {
	for (const [name, content] of Object.entries(files)) {
		mkdirSync(dirname(join(place, name)), { recursive: true });
		writeFileSync(join(place, name), content);
	}
}

function own(place: string): void {
	if (asUser.uid === undefined) return;
	chownSync(place, USER, USER);
	for (const name of readdirSync(place, { recursive: true, encoding: "utf8" }) as string[]) chownSync(join(place, name), USER, USER);
}
