// serverless-kubeless, the plugin of the Serverless Framework, as npm has it: its own code deploys,
// updates and removes against our controller. The plugin is from 2018.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { before, test } from "node:test";
import { cached, run } from "../brokers/download.ts";
import { suiteOwner } from "../support/owner.ts";
import { cluster, describeCluster, eventually, get, gone, namespace, standIn, startController } from "./support.ts";

const PACKAGE = "serverless-kubeless@0.4.4";
const FUNCTION = {
	id: "hello",
	handler: "hello.handler",
	content: "exports.handler = () => 'hello';",
	memorySize: 128,
	environment: { A: "1" },
	events: [
		{ type: "trigger", trigger: "orders" },
		{ type: "schedule", schedule: "@hourly" },
	],
};

describeCluster("serverless-kubeless", () => {
	const owner = suiteOwner();
	const plugin = cached("serverless-kubeless", PACKAGE, (folder) =>
		run("npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, PACKAGE),
	);
	before(() => startController(owner).started());

	/** Calls the plugin's lib/NAME.js. Returns what it logs, and its error. */
	async function call(name: string, ...args: unknown[]): Promise<{ log: string; error: string }> {
		const script = `const [plugin, name, ...args] = process.argv.slice(1).map((text) => JSON.parse(text));
			require(plugin + "/node_modules/serverless-kubeless/lib/" + name)(...args)
				.then(() => process.exit(0), (error) => { console.error(error.message ?? error); process.exit(1); });`;
		const child = spawn(process.execPath, ["-e", script, "--", ...[plugin, name, ...args].map((value) => JSON.stringify(value))], {
			env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: plugin, NODE_NO_WARNINGS: "1" },
			stdio: ["ignore", "pipe", "pipe"],
		});
		const [log, error] = await Promise.all(
			[child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
		);
		return { log: log ?? "", error: error ?? "" };
	}
	const deploy = (ns: string, fn: object, options: object = {}) =>
		call("deploy", [fn], "nodejs24", "service", { namespace: ns, verbose: true, ...options });

	test("deploys a function with a topic and a schedule, updates it with --force, and removes all", async (t) => {
		const ns = await namespace(t);
		standIn(t, ns);
		const deployed = await deploy(ns, FUNCTION);
		assert.match(deployed.log, /Function hello successfully deployed/, deployed.error);
		const { spec } = await eventually("Deployment", ns, "hello");
		assert.match(JSON.stringify(spec), /"memory":"128Mi"/);
		await eventually("KafkaTrigger", ns, "hello-orders");
		await eventually("CronJob", ns, "hello");

		const updated = await deploy(ns, { ...FUNCTION, timeout: 7, events: [] }, { force: true });
		assert.match(updated.log, /successfully deployed/, updated.error);
		await eventually("Deployment", ns, "hello", (deployment) => JSON.stringify(deployment.spec).includes('"value":"7"'));

		const events = [{ trigger: "orders" }, { schedule: "@hourly" }];
		const removed = await call("remove", [{ ...FUNCTION, events }], "service", { namespace: ns, verbose: true });
		assert.equal(removed.error, "");
		for (const [kind, name] of [
			["Function", "hello"],
			["KafkaTrigger", "hello-orders"],
			["CronJobTrigger", "hello"],
		] as const)
			await gone(kind, ns, name);
	});

	test("deploys a function with an http event, but cannot make its Ingress of a removed API", async (t) => {
		const ns = await namespace(t);
		standIn(t, ns);
		const options = { hostname: "hello.example", ingress: { class: "nginx" } };
		const { error } = await deploy(ns, { ...FUNCTION, events: [{ type: "http", path: "/hello" }] }, options);
		assert.match(error, /Unable to deploy the ingress rule/);
		assert.ok(await get("Function", ns, "hello"));
	});
});
