// A consumer as its image runs it: a process with an environment.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export class ConsumerProcess {
	readonly child: ChildProcess;
	output = "";

	constructor(owner: Owner, source: string, env: Readonly<Record<string, string>>) {
		this.child = spawn(process.execPath, [MAIN, source], {
			env: { PATH: process.env["PATH"], TRIGGER_PORT: "0", ...env },
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.child.stdout?.setEncoding("utf8").on("data", (text) => (this.output += text));
		this.child.stderr?.setEncoding("utf8").on("data", (text) => (this.output += text));
		owner.after(() => this.kill());
	}

	/** Resolves when /readyz is 200. */
	async ready(): Promise<this> {
		await poll(
			async () => {
				if (this.child.exitCode !== null) throw new Error(`the consumer exited with ${this.child.exitCode}:\n${this.output}`);
				const port = this.port;
				return port !== undefined && (await get(port, "/readyz")) === 200 ? true : undefined;
			},
			() => `the consumer is not ready:\n${this.output}`,
		);
		return this;
	}

	get port(): number | undefined {
		const found = /"port":(\d+)/.exec(this.output)?.[1];
		return found === undefined ? undefined : Number(found);
	}

	/** The status of /readyz. */
	async readiness(): Promise<number> {
		return this.port === undefined ? 0 : get(this.port, "/readyz");
	}

	async metrics(): Promise<string> {
		return (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
	}

	async kill(): Promise<void> {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return;
		this.child.kill("SIGKILL");
		await once(this.child, "exit");
	}

	/** SIGTERM; resolves with the exit code. */
	async stop(): Promise<number | null> {
		this.child.kill("SIGTERM");
		if (this.child.exitCode === null) await once(this.child, "exit");
		return this.child.exitCode;
	}
}

async function get(port: number, path: string): Promise<number> {
	try {
		return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
	} catch {
		return 0;
	}
}
