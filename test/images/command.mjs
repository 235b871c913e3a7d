import { spawnSync } from "node:child_process";
import { root, toolsFirst } from "../../kubeless-loader/checkout.mjs";

/**
 * Runs a command in the checkout. Returns its output. @throws with the end of the output if it
 * fails
 */
export function run(command, args, env = toolsFirst()) {
	const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: root, env, encoding: "utf8", maxBuffer: 2 ** 28 });
	if (status === 0) return stdout.trim();
	const output = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-60).join("\n");
	throw new Error(`${command} ${args.slice(0, 3).join(" ")} … fails: ${error?.message ?? output}`);
}

export function succeeds(command, args, env = toolsFirst()) {
	return spawnSync(command, args, { env, stdio: "ignore", timeout: 60_000 }).status === 0;
}
