// The stages of a whole run, in order. `npm test` runs one of them, `npm run test:all` runs all.
import { spawnSync } from "node:child_process";
import { root, toolsFirst } from "../../kubeless-loader/checkout.mjs";
import { buildImages } from "../images/build.mjs";
import { counts, reporters, runTests } from "./node-test.mjs";

export const STAGES = [
	{ name: "check", title: "style, types and linters", run: () => command("npm", ["run", "--silent", "check"]) },
	{
		name: "unit",
		title: "unit and contract tests, a smoke test of each language",
		paths: ["test/unit", "test/contract", "test/smoke", "kubeless-controller/test", "kubeless-cli/test", "kubeless-trigger/test/unit"],
	},
	{
		name: "languages",
		title: "every language: vectors, faults, the local command, installers",
		paths: ["runtimes/*/test/**/*.test.ts", "test/conformance", "test/faults", "test/local", "test/guide", "test/installers"],
	},
	{ name: "faults", title: "every language: seeded runs under faults", paths: ["test/chaos"] },
	{ name: "platform", title: "monitoring, Kubernetes manifests, the bench", paths: ["test/platform", "test/bench"] },
	{ name: "images", title: "container images, built and run", run: images },
	{ name: "events", title: "Kafka and NATS: the consumer against real brokers", paths: ["kubeless-trigger/test/brokers"] },
	{ name: "cluster", title: "the controller and the command against a real control plane and node", run: cluster },
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

/** test/cluster/run.ts starts the control plane and runs the tests against it. */
function cluster(name) {
	const { status } = spawnSync("node", ["test/cluster/run.ts"], {
		cwd: root,
		env: { ...toolsFirst(), TEST_REPORTERS: JSON.stringify(reporters(name)) },
		stdio: "inherit",
	});
	return { status: status ?? 1, ...counts(name) };
}

function images(name) {
	const { env, stop } = buildImages();
	try {
		return runTests(name, ["test/images/*.test.ts"], env);
	} finally {
		stop();
	}
}
