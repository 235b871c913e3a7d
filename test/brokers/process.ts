import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Owner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";

/** A broker's process, which a test can kill and start again on the same port and data. */
export class BrokerProcess {
	readonly port: number;
	readonly #host: string;
	readonly #command: readonly [string, ...string[]];
	#child: ChildProcess | undefined;
	#output = "";

	constructor(owner: Owner, port: number, command: readonly [string, ...string[]], host = "127.0.0.1") {
		this.port = port;
		this.#host = host;
		this.#command = command;
		owner.after(() => this.kill());
	}

	/** Resolves when the port accepts connections. */
	async start(): Promise<void> {
		const [program, ...args] = this.#command;
		const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
		this.#child = child;
		const keep = (text: string): void => {
			this.#output = (this.#output + text).slice(-4000);
		};
		child.stdout?.setEncoding("utf8").on("data", keep);
		child.stderr?.setEncoding("utf8").on("data", keep);
		await poll(
			async () => {
				if (child.exitCode !== null) throw new Error(`the broker exited:\n${this.#output}`);
				return (await accepts(this.port, this.#host)) || undefined;
			},
			() => `the broker does not listen on port ${this.port}:\n${this.#output}`,
			300_000,
		);
	}

	/** SIGKILL; resolves when the process is gone. */
	async kill(): Promise<void> {
		const child = this.#child;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, "exit");
		child.kill("SIGKILL");
		await gone;
	}
}

function accepts(port: number, host: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ port, host });
		socket.once("connect", () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", () => resolve(false));
	});
}

export async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}
