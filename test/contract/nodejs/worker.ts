import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

// A worker of Node.js and the loader's end of its wire. What is tested here is special to functions in Node.js; what holds
// in every language is in test/conformance/.

export const home = fileURLToPath(new URL("../../../runtimes/nodejs/", import.meta.url));
/** Another Node.js than the one that runs the tests, if the functions are to run on it. */
export const node = process.env["FUNCTION_NODE"] ?? process.execPath;
export const [major = 0, minor = 0] = execFileSync(node, ["-p", "process.versions.node"], { encoding: "utf8" }).split(".").map(Number);

export const scratch = mkdtempSync(join(tmpdir(), "nodejs-test-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

export function since(wanted: number, wantedMinor = 0) {
	const there = major > wanted || (major === wanted && minor >= wantedMinor);
	return { skip: there ? false : `Node.js ${wanted}.${wantedMinor} or later is needed, and this is ${major}.${minor}` };
}

interface Line {
	type: string;
	id?: number;
	status?: number;
	code?: string;
	message?: string;
	stack?: string;
	stream?: string;
	handler?: string;
	handlers?: string[];
	head?: number;
	body?: number;
}

interface Frame {
	line: Line;
	head: string;
	body: Buffer;
}

export interface Request {
	method?: string;
	path?: string;
	query?: string;
	headers?: Record<string, string>;
	body?: string | Buffer;
	json?: boolean;
	extensions?: Record<string, string>;
	[field: string]: unknown;
}

export interface Answer {
	/** the frames it came in */
	form: string[];
	status: number;
	headers: Record<string, string>;
	body: Buffer;
	text: string;
	error: Line | undefined;
}

export type Files = Record<string, string>;

let folders = 0;

export function folderOf(files: Files): string {
	folders += 1;
	const folder = join(scratch, String(folders));
	mkdirSync(folder);
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, name)), { recursive: true });
		writeFileSync(join(folder, name), text);
	}
	return folder;
}

/** A worker with one function, and the loader's end of its wire. */
export class Worker {
	readonly folder: string;
	readonly frames: Frame[] = [];
	readonly child: ChildProcess;
	readonly exited: Promise<number | string>;
	stderr = "";
	stdout = "";
	readonly #wire: Socket;
	#rest: Buffer = Buffer.alloc(0);
	#lastId = 0;
	#look: (() => void)[] = [];

	constructor(files: Files, handler: string, env: Record<string, string> = {}, file = Object.keys(files)[0] ?? "") {
		this.folder = folderOf(files);
		this.child = spawn(node, [join(home, "worker.js")], {
			cwd: this.folder,
			stdio: ["ignore", "pipe", "pipe", "pipe"],
			env: {
				PATH: process.env["PATH"],
				KUBELESS_HANDLER_FILE: join(this.folder, file),
				FUNC_HANDLER: handler,
				FUNC_TIMEOUT: "30",
				FUNC_RUNTIME: "nodejs24",
				FUNC_MEMORY_LIMIT: "128Mi",
				KUBELESS_INSTALL_VOLUME: this.folder,
				KUBELESS_WIRE: "1",
				...env,
			},
		});
		this.#wire = this.child.stdio[3] as Socket;
		this.#wire.on("data", (chunk: Buffer) => this.#read(chunk));
		this.#wire.on("error", () => {});
		this.child.stderr?.setEncoding("utf8").on("data", (text) => {
			this.stderr += text;
		});
		this.child.stdout?.setEncoding("utf8").on("data", (text) => {
			this.stdout += text;
		});
		this.exited = once(this.child, "exit").then(([code, signal]) => code ?? signal);
		this.exited.then(() => this.#wake());
	}

	#read(chunk: Buffer): void {
		let rest = Buffer.concat([this.#rest, chunk]);
		for (;;) {
			const newline = rest.indexOf("\n");
			if (newline < 0) break;
			const line: Line = JSON.parse(rest.toString("utf8", 0, newline));
			const head = newline + 1;
			const body = head + (line.head ?? 0);
			const end = body + (line.body ?? 0);
			if (rest.length < end) break;
			this.frames.push({ line, head: rest.toString("latin1", head, body), body: rest.subarray(body, end) });
			rest = rest.subarray(end);
		}
		this.#rest = rest;
		this.#wake();
	}

	#wake(): void {
		for (const look of this.#look.splice(0)) look();
	}

	/** The first frame that fits, now or later. */
	async until(fits: (frame: Frame) => boolean, from = 0): Promise<Frame> {
		const limit = Date.now() + 10_000;
		for (;;) {
			const found = this.frames.slice(from).find(fits);
			if (found) return found;
			if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > limit) {
				throw new Error(`it did not come; there were ${JSON.stringify(this.frames.map(({ line }) => line))} and ${this.stderr}`);
			}
			await new Promise<void>((resolve) => {
				this.#look.push(resolve);
				setTimeout(resolve, 200).unref();
			});
		}
	}

	/** What it began with. */
	async started(): Promise<Line> {
		return (await this.until(({ line }) => line.type === "ready" || line.type === "failed")).line;
	}

	send(line: object, head = "", body: string | Buffer = ""): void {
		this.#wire.write(`${JSON.stringify(line)}\n${head}`, "latin1");
		if (body.length > 0) this.#wire.write(body);
	}

	/** Sends a call and gives its id. */
	begin({ headers = {}, body, ...fields }: Request = {}): number {
		this.#lastId += 1;
		const id = this.#lastId;
		const head = Object.entries(headers)
			.map(([name, value]) => `${name}: ${value}\r\n`)
			.join("");
		this.send(
			{
				type: "call",
				id,
				method: body === undefined ? "GET" : "POST",
				path: "/",
				deadline: Date.now() + 30_000,
				...fields,
				...(head ? { head: head.length } : {}),
				...(body === undefined ? {} : { body: Buffer.byteLength(body) }),
			},
			head,
			body,
		);
		return id;
	}

	async answer(id: number): Promise<Answer> {
		await this.until(({ line }) => line.id === id && ["result", "end", "error"].includes(line.type));
		const frames = this.frames.filter(({ line }) => line.id === id && line.type !== "log");
		const lead = frames[0];
		const headers: Record<string, string> = {};
		for (const field of lead?.head.split("\r\n").filter(Boolean) ?? []) {
			const colon = field.indexOf(":");
			const name = field.slice(0, colon).toLowerCase();
			headers[name] = name in headers ? `${headers[name]} | ${field.slice(colon + 2)}` : field.slice(colon + 2);
		}
		const body = Buffer.concat(frames.map((frame) => frame.body));
		return {
			form: frames.map(({ line }) => line.type),
			status: lead?.line.status ?? 200,
			headers,
			body,
			text: body.toString(),
			error: frames.find(({ line }) => line.type === "error")?.line,
		};
	}

	async call(request?: Request): Promise<Answer> {
		await this.started();
		return this.answer(this.begin(request));
	}

	printed(stream = "stdout", id?: number): string {
		return this.frames
			.filter(({ line }) => line.type === "log" && line.stream === stream && (id === undefined || line.id === id))
			.map(({ body }) => body.toString())
			.join("");
	}

	endWire(): void {
		this.#wire.end();
	}

	async stop(): Promise<number | string> {
		this.send({ type: "stop" });
		return this.exited;
	}
}

/** Runs with a worker that is told to stop in the end, and has to. */
export async function withWorker(files: Files | string, handler: string, use: (worker: Worker) => Promise<void>, env = {}): Promise<void> {
	const worker = new Worker(typeof files === "string" ? { "h.js": files } : files, handler, env);
	try {
		await worker.started();
		await use(worker);
		assert.equal(await worker.stop(), 0);
	} finally {
		worker.child.kill("SIGKILL");
	}
}

/** What it says that cannot load its function. */
export async function failure(files: Files | string, handler = "h", env = {}): Promise<Line> {
	const worker = new Worker(typeof files === "string" ? { "h.js": files } : files, handler, env);
	try {
		const line = await worker.started();
		assert.equal(line.type, "failed");
		assert.equal(await worker.exited, 1);
		return line;
	} finally {
		worker.child.kill("SIGKILL");
	}
}
