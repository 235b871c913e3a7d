// The stages of a whole run, in order. `npm test` runs one of them, `npm run test:all` runs all.
import { spawnSync } from "node:child_process";
import { root, toolsFirst } from "../../kubeless-loader/checkout.mjs";
import { buildImages } from "../images/build.mjs";
import { runTests } from "./node-test.mjs";

export const STAGES = [
	{ name: "check", title: "style, types and linters", run: () => command("npm", ["run", "--silent", "check"]) },
	{ name: "unit", title: "unit and contract tests, a smoke test of each language", paths: ["test/unit", "test/contract", "test/smoke"] },
	{
		name: "languages",
		title: "every language: vectors, faults, the local command, installers",
		paths: ["runtimes/*/test/**/*.test.ts", "test/conformance", "test/faults", "test/local", "test/guide", "test/installers"],
	},
	{ name: "platform", title: "monitoring, Kubernetes manifests, the bench", paths: ["test/platform", "test/bench"] },
	{ name: "images", title: "container images, built and run", run: images },
];

/** The stage that `npm test` runs. */
export const FAST = "unit";

/** Runs a stage. @returns {{ status: number, passed: number, failed: number, skipped: number }} */
export function runStage({ name, paths, run }) {
	return run ? run(name) : runTests(name, paths);
}

function command(program, args) {
	const status = spawnSync(program, args, { cwd: root, env: toolsFirst(), stdio: "inherit" }).status ?? 1;
	return { status, passed: 0, failed: status === 0 ? 0 : 1, skipped: 0 };
}

function images(name) {
	const { env, stop } = buildImages();
	try {
		return runTests(name, ["test/images/*.test.ts"], env);
	} finally {
		stop();
	}
}
