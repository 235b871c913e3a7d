import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Asked, ask, type Got } from "./ask.ts";
import { type Ended, folder, RUN } from "./loader.ts";
import type { Owner } from "./owner.ts";
import { processesOf, untilGone } from "./processes.ts";
import { Waiter } from "./waiter.ts";

export const BIN = fileURLToPath(new URL("../../kubeless-loader/bin.mjs", import.meta.url));
/** What is installed stays from one run of the tests to the next, as it does for a user. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/local", import.meta.url));
/** The limit of a wait, an installation included, in ms: only a hang reaches it. */
const PATIENCE_MS = 300_000;

export interface LocalCommandOptions {
	/** where the command is given; an empty folder where it does not matter */
	readonly cwd?: string;
	/** beside what a user's shell has */
	readonly env?: Readonly<Record<string, string | undefined>>;
	/** the command before the words; kubeless-loader on this Node.js where it does not matter */
	readonly command?: readonly string[];
	readonly patienceMs?: number;
}

let started = 0;

/**
 * What most users' shells have: nothing of the test runner's or of npm's, and no setting of the
 * loader's or of a language's.
 */
export function shellEnv(): NodeJS.ProcessEnv {
	const foreign =
		/^(NODE_TEST_CONTEXT|NODE_OPTIONS|npm_(?!config_).*|npm_config_.*prefix|FUNC_.*|KUBELESS_.*|MOD_NAME|XDG_CACHE_HOME|INIT_CWD|PYTHONDONTWRITEBYTECODE)$/i;
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/**
 * A command given at a terminal, with all it says; it has a process group of its own, to which a
 * Ctrl-C goes.
 */
export class LocalCommand {
	readonly child: ChildProcess;
	/** in the environment of this command and of everything it starts, and nowhere else */
	readonly marker = `${RUN}local-${process.pid}-${++started}`;
	/** what it wrote to standard output */
	readonly lines: string[] = [];
	readonly ended: Promise<Ended>;
	stderr = "";
	port = 0;
	readonly #patienceMs: number;
	readonly #waiter = new Waiter("the command", () => `\n${this.output}\n${this.stderr}`);

	constructor(
		owner: Owner,
		words: readonly string[],
		{ cwd, env, command = [process.execPath, BIN], patienceMs = PATIENCE_MS }: LocalCommandOptions = {},
	) {
		this.#patienceMs = patienceMs;
		owner.after(() => this.end());
		const [program, ...first] = command as [string, ...string[]];
		this.child = spawn(program, [...first, ...words], {
			cwd: cwd ?? folder(owner),
			env: {
				...shellEnv(),
				PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
				KUBELESS_LOADER_CACHE: CACHE,
				FUNC_PORT: "0",
				TEST_MARKER: this.marker,
				...env,
			},
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		this.ended = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
		this.ended.then(() => this.#waiter.end());
		this.child.stderr?.setEncoding("utf8").on("data", (text) => {
			this.stderr += text;
			this.#waiter.notify();
		});
		createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
			this.lines.push(line);
			this.#waiter.notify();
		});
	}

	get output(): string {
		return this.lines.join("\n");
	}

	/** Resolves when the function is served. @throws with all it said, when it ends instead */
	async serving(): Promise<this> {
		const line = await this.wrote(/ is served at http:\/\/localhost:\d+ /);
		this.port = Number(/localhost:(\d+)/.exec(line)?.[1]);
		return this;
	}

	/**
	 * Resolves with the matching line of standard output, now or later; with `times`, with the match
	 * of that number.
	 */
	wrote(pattern: RegExp, times = 1): Promise<string> {
		const look = () => this.lines.filter((line) => pattern.test(line))[times - 1];
		return this.#waiter.until(`a line like ${pattern} (${times})`, look, this.#patienceMs);
	}

	/** Resolves when the function was reloaded `times` times. */
	servedAnew(times = 1): Promise<string> {
		return this.wrote(/ changed and was reloaded/, times);
	}

	ask(asked: string | Asked = {}): Promise<Got> {
		return ask(this.port, typeof asked === "string" ? { body: asked } : asked);
	}

	/** What the function answers to a call with this body. */
	async answer(body?: string): Promise<string> {
		return (await this.ask(body === undefined ? {} : { body })).text;
	}

	/** Ctrl-C: every process of the terminal's group gets it. */
	press(signal: NodeJS.Signals = "SIGINT"): void {
		process.kill(-(this.child.pid as number), signal);
	}

	/** Presses Ctrl-C and waits until nothing of it is left. */
	stop(): Promise<Ended> {
		this.press();
		return this.gone("after Ctrl-C");
	}

	/**
	 * Waits until nothing of it is left, and says how it ended. Its own end comes first: its output
	 * may be held by what it left behind.
	 */
	async gone(when: string): Promise<Ended> {
		const { child } = this;
		if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
		await untilGone(this.marker).catch((error) => {
			throw new Error(`${when}: ${error.message}`);
		});
		return this.ended;
	}

	/** Ends everything that is left of it. */
	async end(): Promise<void> {
		for (const pid of processesOf(this.marker)) {
			try {
				process.kill(pid, "SIGKILL");
			} catch {
				// It ended by itself.
			}
		}
		if (this.child.exitCode === null && this.child.signalCode === null) await this.ended;
	}
}

/** `kubeless-loader run` with these words, serving. */
export function run(owner: Owner, words: readonly string[], options?: LocalCommandOptions): Promise<LocalCommand> {
	return new LocalCommand(owner, ["run", ...words], options).serving();
}

/** A command that is expected to end by itself. */
export async function tell(owner: Owner, words: readonly string[], options?: LocalCommandOptions): Promise<LocalCommand & Ended> {
	const local = new LocalCommand(owner, words, options);
	const timer = setTimeout(() => local.press("SIGKILL"), PATIENCE_MS);
	const ended = await local.ended;
	clearTimeout(timer);
	return Object.assign(local, ended);
}
