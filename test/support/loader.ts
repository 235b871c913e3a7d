import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Asked, ask, type Got } from "./ask.ts";
import { Figures } from "./figures.ts";
import type { Owner } from "./owner.ts";
import { poll } from "./poll.ts";
import { Waiter } from "./waiter.ts";

const BIN = fileURLToPath(new URL("../../kubeless-loader/bin.mjs", import.meta.url));
/** The limit of a wait, in ms: only a hang reaches it, however busy the machine is. */
export const PATIENCE_MS = 120_000;

export interface LoaderOptions {
	/** the files of the install volume by name; folders in a name are made */
	readonly files?: Readonly<Record<string, string | Buffer>>;
	/** an existing install volume */
	readonly volume?: string;
	/** the loader's environment, in addition to PATH and HOME */
	readonly env?: Readonly<Record<string, string>>;
	/** arguments of `kubeless-loader` */
	readonly args?: readonly string[];
	/** options of Node.js for the loader itself; NODE_OPTIONS is for the function */
	readonly execArgv?: readonly string[];
	/** a command that becomes the loader, whose command line follows as its arguments */
	readonly through?: readonly string[];
}

/** How a process ended. */
export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
}

export interface LogRecord {
	readonly level?: string;
	readonly msg?: string;
	readonly code?: string;
	readonly stream?: string;
	readonly [field: string]: unknown;
}

let started = 0;
/** Begins every marker, so that the test run can find what it started. */
export const RUN = process.env["TEST_RUN"] === undefined ? "" : `${process.env["TEST_RUN"]}-`;

/** Makes a folder with files, which is removed after the test. */
export function folder(owner: Owner, files: Readonly<Record<string, string | Buffer>> = {}): string {
	const place = mkdtempSync(join(tmpdir(), "kubeless-test-"));
	for (const [name, content] of Object.entries(files)) {
		mkdirSync(dirname(join(place, name)), { recursive: true });
		writeFileSync(join(place, name), content);
	}
	owner.after(() => rmSync(place, { recursive: true, force: true }));
	return place;
}

/** A loader process, started as in a container, with its output. */
export class Loader {
	readonly child: ChildProcess;
	readonly volume: string;
	/**
	 * in the environment of this loader and of all processes that it starts, and of no other process
	 */
	readonly marker = `${RUN}${process.pid}-${++started}`;
	readonly records: LogRecord[] = [];
	/** the lines of standard output that are not JSON: access lines */
	readonly lines: string[] = [];
	readonly ended: Promise<Ended>;
	stderr = "";
	readonly #waiter = new Waiter("the loader", () => this.#all());
	#port = 0;

	constructor(owner: Owner, { files, volume, env, args = [], execArgv = [], through = [] }: LoaderOptions) {
		this.volume = volume ?? folder(owner, files);
		owner.after(() => this.end());
		const [program, ...words] = [...through, process.execPath, ...execArgv, BIN, ...args] as [string, ...string[]];
		this.child = spawn(program, words, {
			cwd: this.volume,
			env: {
				PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
				HOME: process.env["HOME"],
				KUBELESS_INSTALL_VOLUME: this.volume,
				KUBELESS_TERMINATION_LOG: join(this.volume, "no-termination-log"),
				FUNC_PORT: "0",
				// A first compilation with empty caches on a busy machine takes more than the default of 60 s.
				FUNC_LOAD_TIMEOUT: "110",
				TEST_MARKER: this.marker,
				...(process.env["TMPDIR"] === undefined ? {} : { TMPDIR: process.env["TMPDIR"] }),
				...env,
			},
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.ended = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
		this.ended.then(() => this.#waiter.end());
		this.child.stderr?.setEncoding("utf8").on("data", (text) => {
			this.stderr += text;
			this.#waiter.notify();
		});
		createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => this.#line(line));
	}

	get port(): number {
		return this.#port;
	}

	get url(): string {
		return `http://127.0.0.1:${this.#port}`;
	}

	get over(): boolean {
		return this.child.exitCode !== null || this.child.signalCode !== null;
	}

	/** Resolves when the function is served. @throws with the output if the loader ends */
	async serving(): Promise<this> {
		const record = await this.said((one) => one.msg === "serving");
		this.#port = record["port"] as number;
		return this;
	}

	/** Resolves with the first log record that fits, now or later. */
	said(fits: (record: LogRecord) => boolean): Promise<LogRecord> {
		return this.until("a log record", () => this.records.find(fits));
	}

	/** Resolves with the first line that is not JSON and matches, now or later. */
	wrote(pattern: RegExp): Promise<string> {
		return this.until(`a line like ${pattern}`, () => this.lines.find((line) => pattern.test(line)));
	}

	/** Resolves with the first defined result of `look`, which is called after new output. */
	until<T>(what: string, look: () => T | undefined): Promise<T> {
		return this.#waiter.until(what, look, PATIENCE_MS);
	}

	ask(request: string | Asked = "/"): Promise<Got> {
		return ask(this.#port, typeof request === "string" ? { path: request } : request);
	}

	async figures(): Promise<Figures> {
		return new Figures((await this.ask("/metrics")).text);
	}

	/** Requests /metrics repeatedly until it fits. */
	figuresWhen(what: string, fits: (figures: Figures) => boolean): Promise<Figures> {
		let figures: Figures | undefined;
		return poll(
			async () => {
				figures = await this.figures();
				return fits(figures) ? figures : undefined;
			},
			() => `the figures do not show ${what}:\n${figures?.brief}`,
			PATIENCE_MS,
		);
	}

	signal(signal: NodeJS.Signals = "SIGTERM"): void {
		this.child.kill(signal);
	}

	/** Sends SIGTERM and waits for the end. */
	stop(): Promise<Ended> {
		this.signal();
		return this.ended;
	}

	/** Ends the loader and its workers without waiting for calls. */
	async end(): Promise<void> {
		if (this.over) return;
		this.signal();
		// The second signal ends the wait for calls. The loader may merge two signals that come close
		// together.
		const again = setInterval(() => this.signal(), 300);
		const last = setTimeout(() => this.signal("SIGKILL"), 30_000);
		await this.ended;
		clearInterval(again);
		clearTimeout(last);
	}

	#line(line: string): void {
		if (line.startsWith("{") && !this.#isCut(line)) this.records.push(JSON.parse(line));
		else this.lines.push(line);
		this.#waiter.notify();
	}

	/** The last line of a loader that was killed can be incomplete. */
	#isCut(line: string): boolean {
		if (!this.child.stdout?.readableEnded) return false;
		try {
			JSON.parse(line);
			return false;
		} catch {
			return true;
		}
	}

	#all(): string {
		return `${this.stderr}\n${this.records.map((record) => JSON.stringify(record)).join("\n")}\n${this.lines.join("\n")}`;
	}
}

/** Starts a loader and waits until it serves. */
export function startLoader(owner: Owner, options: LoaderOptions): Promise<Loader> {
	return new Loader(owner, options).serving();
}

/** Runs a loader that is expected to end by itself. */
export async function runLoader(owner: Owner, options: LoaderOptions): Promise<Loader & Ended> {
	const loader = new Loader(owner, options);
	const timer = setTimeout(() => loader.signal("SIGKILL"), PATIENCE_MS);
	const ended = await loader.ended;
	clearTimeout(timer);
	return Object.assign(loader, ended);
}
