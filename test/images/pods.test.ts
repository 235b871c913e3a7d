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

// What the loader does for a function is proved in test/faults and test/contract; here is what depends on a container.

/** A user of OpenShift's, which has no entry in /etc/passwd. */
const ANY_USER = "1000660000:0";
/** More than a container's memory limit, as conformance's `big` makes it. */
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

	test("told to stop during a call: it is finished, then the container ends with 0", async () => {
		const { pod } = await conformance();
		const running = pod.ask({ body: "1500" });
		await until("called", () => called(pod));
		const code = await pod.stop();
		assert.equal((await running).text, "slept");
		assert.equal(code, 0, await pod.logs());
	});

	test("whose worker is killed: the call is answered 502, the next is served, the container stays", async () => {
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

	test("whose function takes more memory than there is: the call fails, the loader lives and serves the next", async () => {
		const pod = await serve("big", { user: ANY_USER });
		// An answer that has begun is cut off.
		const got = await pod.ask({ body: TOO_MUCH }).catch(() => undefined);
		assert.ok(got === undefined || [500, 502].includes(got.status), `${got?.status} ${got?.body.length} bytes`);
		await until("told in the log", async () => /memory|no space left/i.test(await pod.logs()), pod.logs);
		assert.equal((await pod.ask({ body: "10" })).text, "0123456789");
		const [loader, ...others] = await Promise.all([loaderOf(pod.id), ...(await workers(pod.id))]);
		for (const worker of others) assert.ok(worker.oomScore > loader.oomScore, "the kernel ends a worker first, whatever their sizes");
		assert.equal(await must("inspect", "--format", "{{.State.Running}} {{.RestartCount}}", pod.id), "true 0");
		assert.equal(await pod.stop(), 0);
	});

	test("which is healthy for the engine as well, and leaves no zombie", async () => {
		const flags = ["--health-interval", "500ms", "--network", "none", "--read-only", "-v", `${(await conformance()).volume}:/kubeless:ro`];
		const { image, env = [] } = functionContainer(version, `${module}.echoes`);
		const id = await must("run", "-d", ...flags, ...env.flatMap(({ name, value }) => ["-e", `${name}=${value}`]), image);
		owner.after(() => must("rm", "--force", id).then(() => {}));
		await until("healthy", async () => (await must("inspect", "--format", "{{.State.Health.Status}}", id)) === "healthy");
		// The child of a process that has ended falls to process 1.
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
