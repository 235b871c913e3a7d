// Follows a documentation page: "Write `NAME`:" and a block make a file, an `sh` block is run line
// by line, and the `text` block after it is the expected output of the last line. `…` matches any
// text; at the end of the block it means that the command runs on.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { delimiter, dirname, join } from "node:path";
import { folder } from "./loader.ts";
import { shellEnv } from "./local-command.ts";
import type { Owner } from "./owner.ts";
import { Waiter } from "./waiter.ts";

export type Step =
	| { readonly file: string; readonly text: string }
	| { readonly commands: readonly string[]; readonly expected: string | undefined };

const ROOT = join(import.meta.dirname, "../..");
/** The time limit of one command, which may be an installation, in ms. */
const PATIENCE_MS = 120_000;

export function stepsOf(page: string): Step[] {
	const steps: Step[] = [];
	const BLOCK = /(?:^Write `([^`]+)`:\n\n)?^```(\w+)\n([^]*?)^```\n(?:```text\n([^]*?)^```\n)?/gm;
	for (const [, file, language, text = "", expected] of readFileSync(page, "utf8").matchAll(BLOCK)) {
		if (file !== undefined) steps.push({ file, text });
		else if (language === "sh") steps.push({ commands: text.trimEnd().split("\n"), expected });
	}
	return steps;
}

/**
 * Returns a user's environment after "Before you begin" of docs/custom-runtime.md, with a folder of
 * the test as HOME.
 */
export function withCommand(owner: Owner): NodeJS.ProcessEnv {
	const prefix = folder(owner);
	const [first] = stepsOf(join(ROOT, "docs/custom-runtime.md"));
	assert.ok(first && "commands" in first && first.commands[0] === "npm install", "this checkout's is done");
	const env = { ...shellEnv(), npm_config_prefix: prefix };
	const { status, stderr } = spawnSync("sh", ["-c", first.commands[1] ?? ""], { cwd: ROOT, env, encoding: "utf8" });
	assert.equal(status, 0, stderr);
	return { ...shellEnv(), PATH: [join(prefix, "bin"), process.env["PATH"]].join(delimiter) };
}

export async function freePort(): Promise<number> {
	const server = net.createServer().listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	const { port } = server.address() as net.AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** Follows steps in a folder (default: a new one); `port` replaces 8080 in the steps. */
export async function follow(
	owner: Owner,
	steps: readonly Step[],
	port: number,
	env: NodeJS.ProcessEnv,
	place = folder(owner),
): Promise<string> {
	const own = (text: string) =>
		text
			.replaceAll("localhost:8080", `localhost:${port}`)
			.replaceAll("--publish 8080:", `--publish 127.0.0.1:${port}:`)
			.replaceAll(" my-", " kubeless-test/my-");
	let server: Shell | undefined;
	owner.after(() => server?.stop());
	for (const step of steps) {
		if ("file" in step) {
			mkdirSync(dirname(join(place, step.file)), { recursive: true });
			writeFileSync(join(place, step.file), step.text);
			continue;
		}
		for (const [index, command] of step.commands.entries()) {
			const expected = index === step.commands.length - 1 ? step.expected : undefined;
			const stays = expected?.endsWith("…\n");
			// A reader stops the previous command first.
			if (stays) await server?.stop();
			const shell = new Shell(own(command), place, env);
			if (stays) {
				server = shell;
				await shell.prints(like(own(expected as string)));
			} else await shell.succeeds(expected === undefined ? /^/ : like(own(expected)));
		}
	}
	return place;
}

function like(expected: string): RegExp {
	const words = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
	const lines = expected.trimEnd().split("\n");
	const pattern = lines.map((line) => (line === "…" ? "[^]*" : `${line.split("…").map(words).join(".*")}\n`)).join("");
	return new RegExp(`^${pattern}$`);
}

/** One command line, which runs in its own process group. */
class Shell {
	readonly #command: string;
	readonly #child: ChildProcess;
	readonly #ended: Promise<number | null>;
	readonly #waiter = new Waiter("it", () => `${this.#command}\n${this.#all}`);
	#output = "";
	#all = "";

	constructor(command: string, cwd: string, env: NodeJS.ProcessEnv) {
		this.#command = command;
		this.#child = spawn("sh", ["-c", command], { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
		this.#child.stdout?.on("data", (text) => {
			this.#output += text;
			this.#all += text;
			this.#waiter.notify();
		});
		this.#child.stderr?.on("data", (text) => {
			this.#all += text;
		});
		this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
		this.#ended.then(() => this.#waiter.end());
	}

	async succeeds(expected: RegExp): Promise<void> {
		const timer = setTimeout(() => void this.stop(), PATIENCE_MS);
		const code = await this.#ended;
		clearTimeout(timer);
		assert.equal(code, 0, `${this.#command}\n${this.#all}`);
		// The page cannot show whether the last line is complete.
		assert.match(this.#output.replace(/\n?$/, "\n"), expected, `${this.#command}\n${this.#all}`);
	}

	async prints(expected: RegExp): Promise<void> {
		await this.#waiter.until(`output like ${expected}`, () => expected.test(this.#output) || undefined, PATIENCE_MS);
	}

	/** Sends SIGINT, as Ctrl-C does. */
	async stop(): Promise<void> {
		if (this.#running) process.kill(-(this.#child.pid as number), "SIGINT");
		await this.#ended;
	}

	get #running(): boolean {
		return this.#child.exitCode === null && this.#child.signalCode === null;
	}
}
