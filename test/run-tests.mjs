import { spawnSync } from "node:child_process";
import { root, toolsFirst } from "../kubeless-loader/checkout.mjs";

/** Runs test files; what the test runner says of them all is the last that is printed. @returns the exit code */
export function test(files, env = {}) {
	// No more files at once than the machine can take without tests waiting for each other's processes.
	const { status } = spawnSync("node", ["--test", "--test-concurrency=2", "--test-timeout=300000", ...files], {
		cwd: root,
		env: { ...toolsFirst(), ...env },
		stdio: "inherit",
	});
	return status ?? 1;
}
