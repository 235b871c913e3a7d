// serverless-kubeless: its own code deploys, shows, updates and removes against our controller.
// node/serverless.ts has its calls and logs, which need a pod.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { suiteOwner } from "../support/owner.ts";
import { callPlugin, installPlugin } from "./serverless.ts";
import { describeCluster, eventually, get, gone, namespace, standIn, startController } from "./support.ts";

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
	const plugin = installPlugin();
	const call = (name: string, ...args: unknown[]) => callPlugin(plugin, name, ...args);
	before(() => startController(owner).started());

	/** The plugin waits 8 s for a pod, which can be too short here; then it is called again. */
	async function deploy(ns: string, fn: object, options: object = {}): ReturnType<typeof call> {
		const result = await call("deploy", [fn], "nodejs24", "service", { namespace: ns, verbose: true, ...options });
		return /Unable to retrieve the status/.test(result.error) ? deploy(ns, fn, { ...options, force: true }) : result;
	}

	test("deploys a function with a topic and a schedule, updates it with --force, and removes all", async (t) => {
		const ns = await namespace(t);
		standIn(t, ns);
		const deployed = await deploy(ns, FUNCTION);
		assert.match(deployed.log, /Function hello successfully deployed/, deployed.error);
		const { spec } = await eventually("Deployment", ns, "hello");
		assert.match(JSON.stringify(spec), /"memory":"128Mi"/);
		await eventually("KafkaTrigger", ns, "hello-orders");
		await eventually("CronJob", ns, "hello");

		const shown = await call("get-info", { hello: FUNCTION }, "service", { namespace: ns, verbose: true, color: false });
		assert.match(shown.log, /^Service Information "hello"$/m, shown.error);
		assert.match(shown.log, /^Handler: {2}hello\.handler$/m);
		assert.match(shown.log, /^Runtime: {2}nodejs24$/m);

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
