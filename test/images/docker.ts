import { spawn } from "node:child_process";

export interface Ran {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs docker asynchronously: the container may send requests to a server in the test. */
export function docker(...args: readonly string[]): Promise<Ran> {
	return new Promise((resolve, reject) => {
		const child = spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] });
		let stdout = "";
		let stderr = "";
		child.stdout.setEncoding("utf8").on("data", (text) => {
			stdout += text;
		});
		child.stderr.setEncoding("utf8").on("data", (text) => {
			stderr += text;
		});
		child.on("error", reject);
		child.on("close", (code) => resolve({ code, stdout, stderr }));
	});
}

/** Runs docker. @throws with its output if it fails */
export async function must(...args: readonly string[]): Promise<string> {
	const { code, stdout, stderr } = await docker(...args);
	if (code !== 0) throw new Error(`docker ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
	return stdout.trim();
}
