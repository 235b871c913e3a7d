import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Figures } from "../support/figures.ts";
import { suiteOwner } from "../support/owner.ts";
import { must } from "./docker.ts";
import { Examples } from "./examples.ts";
import { functionContainer, functionOf, functionPod, initContainers, runtimeOf, sourceOf } from "./function.ts";
import { everyImage } from "./images.ts";
import { inside, loaderOf, processes, until, workers } from "./inside.ts";
import { mountedConfigMap, openFolder, type Pod, type PodOptions, startPod } from "./pod.ts";

// Tests behaviour that depends on a container. test/faults and test/contract test the loader
// itself.

/** A user of OpenShift, without an entry in /etc/passwd. */
const ANY_USER = "1000660000:0";
/** The size of a result of the handler `big`, over the container's memory limit. */
const TOO_MUCH = "400000000";

everyImage("a pod as Kubeless's controller makes it", (version) => {
	const owner = suiteOwner();
	let examples: Examples;
	let module: string;

	/** Prepares a function and serves it. */
	const deploy = async (example: string, handler: string, options: PodOptions = {}): Promise<{ pod: Pod; volume: string }> => {
		const spec = functionOf(examples.folder(owner, example, handler), handler, runtimeOf(version));
		const volume = openFolder(owner);
		const steps = initContainers(version, spec);
		const pod = await startPod(owner, functionPod(functionContainer(version, handler), steps), {
			configMaps: { source: mountedConfigMap(owner, sourceOf(version, spec)) },
			claims: { function: volume },
			...options,
		});
		return { pod, volume };
	};
	/** The conformance functions, prepared and compiled once; several pods serve them. */
	let deployed: ReturnType<typeof deploy> | undefined;
	const conformance = () => {
		deployed ??= deploy("conformance", `${module}.sleeps`);
		return deployed;
	};
	const serve = async (name: string, options: PodOptions = {}) => {
		const { volume } = await conformance();
		return startPod(owner, functionPod(functionContainer(version, `${module}.${name}`)), { claims: { function: volume }, ...options });
	};

	before(async () => {
		examples = await Examples.of(owner, version);
		[module = ""] = examples.handler("conformance", "").split(".");
	});

	test("with dependencies: prepared, installed, compiled, served, scraped", async () => {
		const { pod } = await deploy("deps", examples.handler("deps", "deps"));
		const got = await pod.ask({ body: "some data" });
		assert.deepEqual([got.status, got.text === ""], [200, false], await pod.logs());
		assert.equal((await pod.ask({ path: "/healthz" })).text, "OK");
		const figures = new Figures((await pod.ask({ path: "/metrics" })).text);
		assert.equal(figures.of('function_calls_total{method="POST"}'), 1);
		assert.equal(await pod.stop(), 0, await pod.logs());
	});

	test("stopped during a call: the call is finished, then the container ends with exit code 0", async () => {
		const { pod } = await conformance();
		const running = pod.ask({ body: "1500" });
		await until("called", () => called(pod));
		const code = await pod.stop();
		assert.equal((await running).text, "slept");
		assert.equal(code, 0, await pod.logs());
	});

	test("with a killed worker: the call is answered 502, the next is served, the container goes on running", async () => {
		const pod = await serve("sleeps");
		const running = pod.ask({ body: "20000" });
		await until("called", () => called(pod));
		const killed = (await workers(pod.id)).map(({ pid }) => pid);
		await inside(pod.id, `for (const pid of ${JSON.stringify(killed)}) process.kill(pid, "SIGKILL")`);
		assert.equal((await running).status, 502);
		assert.equal((await pod.ask({ body: "1" })).text, "slept");
		assert.equal(new Figures((await pod.ask({ path: "/metrics" })).text).exits("signal"), 1);
		assert.equal(await must("inspect", "--format", "{{.State.Running}} {{.RestartCount}}", pod.id), "true 0");
	});

	test("with a function over the memory limit: the call fails, the loader goes on running and serves the next", async () => {
		const pod = await serve("big", { user: ANY_USER });
		// A response that has begun is aborted.
		const got = await pod.ask({ body: TOO_MUCH }).catch(() => undefined);
		assert.ok(got === undefined || [500, 502].includes(got.status), `${got?.status} ${got?.body.length} bytes`);
		await until("a log line about memory", async () => /memory|no space left/i.test(await pod.logs()), pod.logs);
		assert.equal((await pod.ask({ body: "10" })).text, "0123456789");
		const [loader, ...others] = await Promise.all([loaderOf(pod.id), ...(await workers(pod.id))]);
		for (const worker of others) assert.ok(worker.oomScore > loader.oomScore, "the kernel ends a worker first, whatever their sizes");
		assert.equal(await must("inspect", "--format", "{{.State.Running}} {{.RestartCount}}", pod.id), "true 0");
		assert.equal(await pod.stop(), 0);
	});

	test("is healthy for the engine, and leaves no zombie processes", async () => {
		const flags = ["--health-interval", "500ms", "--network", "none", "--read-only", "-v", `${(await conformance()).volume}:/kubeless:ro`];
		const { image, env = [] } = functionContainer(version, `${module}.echoes`);
		const id = await must("run", "-d", ...flags, ...env.flatMap(({ name, value }) => ["-e", `${name}=${value}`]), image);
		owner.after(() => must("rm", "--force", id).then(() => {}));
		await until("healthy", async () => (await must("inspect", "--format", "{{.State.Health.Status}}", id)) === "healthy");
		// Process 1 becomes the parent of an ended process's child.
		const orphan = await inside(
			id,
			`const { spawn } = require("child_process");
			const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 1000)"], { detached: true, stdio: "ignore" });
			console.log(child.pid);
			child.unref();`,
		);
		const found = async () => (await processes(id)).find(({ pid }) => pid === Number(orphan));
		assert.equal((await found())?.parent, 1);
		await until("reaped", async () => (await found()) === undefined);
	});
});

async function called(pod: Pod): Promise<boolean> {
	return new Figures((await pod.ask({ path: "/metrics" })).text).inFlight === 1;
}
