// The bundled program as processes of their own: leader election, a crash, and many Functions at
// once.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Owner, suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { end, residentMiB } from "./plane.ts";
import { cluster, condition, create, describeCluster, eventually, fn, list, namespace, patch, remove } from "./support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MANY = 500;

interface Replica {
	readonly child: ChildProcess;
	readonly log: string[];
	metrics(): Promise<string>;
	ready(): Promise<boolean>;
}

let replicas = 0;

function startReplica(owner: Owner): Replica {
	const number = ++replicas;
	const port = cluster.port + 10 + number;
	const env = {
		...process.env,
		KUBECONFIG: cluster.kubeconfig,
		KUBELESS_NAMESPACE: "kubeless",
		POD_NAME: `replica-${number}`,
		PORT: String(port),
	};
	const child = spawn("node", ["kubeless-controller/dist/controller.mjs"], { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
	const log: string[] = [];
	child.stdout.setEncoding("utf8").on("data", (chunk: string) => void log.push(chunk));
	owner.after(() => end(child, "SIGTERM"));
	const get = (path: string): Promise<Response | undefined> => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
	return {
		child,
		log,
		metrics: async () => (await (await get("/metrics"))?.text()) ?? "",
		ready: async () => (await get("/readyz"))?.status === 200,
	};
}

const until = (what: string, look: () => Promise<boolean>, ms = 60_000): Promise<boolean> =>
	poll(
		async () => (await look()) || undefined,
		() => what,
		ms,
	);
const leads = async (replica: Replica): Promise<boolean> => /^kubeless_controller_leader 1$/m.test(await replica.metrics());
const requestCount = (metrics: string): number =>
	[...metrics.matchAll(/^kubeless_controller_api_requests_total\{method="(\w+)".*\} (\d+)$/gm)]
		.filter(([, method]) => method !== "WATCH")
		.reduce((sum, [, , count]) => sum + Number(count), 0);

/**
 * Lists of 500 objects cost the API server more than the controller does: they are looked at once a
 * second.
 */
const slowly = (what: string, look: () => Promise<boolean>, ms = 600_000): Promise<boolean> =>
	until(what, () => new Promise((resolve) => setTimeout(resolve, 1000)).then(look), ms);

describeCluster("the controller's program", () => {
	const owner = suiteOwner();

	before(() => {
		const { status } = spawnSync("node", ["build.mjs"], { cwd: `${root}/kubeless-controller`, stdio: "inherit" });
		assert.equal(status, 0);
	});

	test("of two replicas one works; the other takes over at once after SIGTERM, and after the Lease's end when the first was killed", async (t) => {
		const ns = await namespace(owner);
		const first = startReplica(t);
		await until(`the first does not lead: ${first.log.join("")}`, () => leads(first));
		const second = startReplica(t);
		await until("the second is not ready", () => second.ready());
		assert.equal(await leads(second), false);
		await create(fn(ns, "one"));
		await condition("Function", ns, "one", "Configured", "Configured");
		await end(first.child, "SIGTERM");
		assert.equal(first.child.exitCode, 0, first.log.join(""));
		await until("the second does not lead", () => leads(second), 10_000);
		await patch("Function", ns, "one", { spec: { timeout: "2" } });
		await eventually("Deployment", ns, "one", ({ spec }) => JSON.stringify(spec).includes('"value":"2"'));
		const third = startReplica(t);
		await until("the third is not ready", () => third.ready());
		await end(second.child, "SIGKILL");
		await create(fn(ns, "two"));
		await condition("Function", ns, "two", "Configured", "Configured");
		assert.equal(await leads(third), true);
	});

	test(`brings up ${MANY} Functions that come at once, survives a kill meanwhile, and removes them`, { timeout: 1_200_000 }, async (t) => {
		const ns = await namespace(owner);
		let replica = startReplica(t);
		await until("the replica does not lead", () => leads(replica));
		const startedAt = performance.now();
		const names = Array.from({ length: MANY }, (_, index) => `f${index}`);
		for (let at = 0; at < MANY; at += 25) await Promise.all(names.slice(at, at + 25).map((name) => create(fn(ns, name))));
		const created = performance.now() - startedAt;
		const configured = async (): Promise<number> =>
			(await list("Function", ns)).filter(({ status }) => JSON.stringify(status ?? {}).includes('"reason":"Configured"')).length;
		await slowly("not all are configured", async () => (await configured()) === MANY);
		const done = performance.now() - startedAt;
		const metrics = await replica.metrics();
		const memory = residentMiB(replica.child.pid as number);
		t.diagnostic(
			`${MANY} Functions: created in ${Math.round(created)} ms, configured after ${Math.round(done)} ms, ` +
				`${(requestCount(metrics) / MANY).toFixed(1)} requests each, ${memory} MiB resident`,
		);
		await Promise.all(names.slice(0, 100).map((name) => patch("Function", ns, name, { spec: { timeout: "3" } })));
		await end(replica.child, "SIGKILL");
		replica = startReplica(t);
		await slowly(
			"not all are changed",
			async () =>
				(await list("Deployment", ns)).filter(({ spec }) => JSON.stringify(spec).includes('"name":"FUNC_TIMEOUT","value":"3"')).length ===
				100,
		);
		await Promise.all(names.map((name) => remove("Function", ns, name)));
		await slowly("Deployments are left", async () => (await list("Deployment", ns)).length === 0);
	});
});
