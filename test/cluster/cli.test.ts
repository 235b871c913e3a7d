// The command `kubeless` against a control plane, with the controller in this process.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { kubeless as run } from "../../kubeless-cli/test/shell.ts";
import type { KubelessFunction } from "../../kubeless-controller/src/api/types.ts";
import { suiteOwner } from "../support/owner.ts";
import { poll } from "../support/poll.ts";
import { api, cluster, condition, describeCluster, eventually, get, gone, list, namespace, standIn, startController } from "./support.ts";

const HELLO = "exports.handler = () => 'hello';";
const METRICS = `function_calls_total{method="GET"} 4
function_failures_total{method="GET"} 1
function_duration_seconds_sum{method="GET"} 2
function_duration_seconds_count{method="GET"} 4
`;

describeCluster("the command kubeless", () => {
	const owner = suiteOwner();
	const folder = mkdtempSync(join(tmpdir(), "kubeless-cli-"));
	owner.after(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, "hello.js");
	writeFileSync(file, HELLO);
	const command = (...args: string[]) => run(["--kubeconfig", cluster.kubeconfig, ...args]);
	/** Runs a command that must succeed, and returns its output. */
	const done = async (...args: string[]): Promise<string> => {
		const { code, stdout, stderr } = await command(...args);
		assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
		return stdout;
	};
	/** Runs a command that must fail, and returns its sentence. */
	const fails = async (...args: string[]): Promise<string> => {
		const { code, stderr } = await command(...args);
		assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
		return stderr;
	};
	const specOf = async (ns: string, name: string) => ((await get("Function", ns, name)) as KubelessFunction).spec;

	before(() => startController(owner).started());

	describe("deploys a function", () => {
		test("waits until it is ready, lists it, changes it, goes back and deletes it", async () => {
			const ns = await namespace(owner);
			standIn(owner, ns);
			const runtime = ["-r", "nodejs24"];
			const deployed = await command("function", "deploy", "hello", "-f", file, ...runtime, "-e", "A=1", "-l", "team=x", "-n", ns);
			assert.equal(deployed.code, 0, deployed.stderr);
			assert.equal(deployed.stdout, `Function hello is ready: http://hello.${ns}.svc.cluster.local:8080\n`);
			assert.match(deployed.stderr, /^Function hello submitted for deployment\n(?:hello: .*\n)*$/m);

			const row = (text: string) => text.trimEnd().split("\n").at(-1)?.split(/ {2,}/);
			assert.deepEqual(row(await done("function", "ls", "-n", ns)), ["hello", ns, "hello.handler", "nodejs24", "1/1 READY"]);
			assert.equal(await done("function", "ls", "-n", ns, "-o", "name"), "function.kubeless.io/hello\n");
			assert.match(await done("function", "list", "-A"), new RegExp(`^hello +${ns} `, "m"));
			assert.match(await done("function", "describe", "hello", "-n", ns), /^Envvar: +\[\{"name":"A","value":"1"\}\]$/m);

			await done("function", "update", "hello", "-n", ns, "--timeout", "9", "-e", "B=2", "-e", "A-", "--dependencies", file);
			const updated = await specOf(ns, "hello");
			assert.equal(updated.timeout, "9");
			assert.deepEqual(updated.deployment?.spec?.template?.spec?.containers?.[0]?.env, [{ name: "B", value: "2" }]);
			assert.equal(updated.function, HELLO);

			const history = async () => (await done("function", "history", "hello", "-n", ns)).trimEnd().split("\n").slice(1);
			await poll(
				async () => ((await history()).length === 2 ? true : undefined),
				() => "there are no two revisions",
			);
			await done("function", "rollback", "hello", "-n", ns);
			assert.deepEqual((await specOf(ns, "hello")).timeout, "180");
			await poll(
				async () => ((await history())[0]?.startsWith("3 ") ? true : undefined),
				() => "the rollback makes no revision",
			);
			const unknown = await command("function", "rollback", "hello", "-n", ns, "--to-revision", "77");
			assert.equal(unknown.code, 2);
			assert.match(unknown.stderr, /^Function "hello" has no revision 77\. Give --to-revision one of: 3, 2\.$/m);

			assert.equal(await done("function", "delete", "hello", "-n", ns), "Function hello deleted\n");
			await gone("Function", ns, "hello");
		});

		test("ends with the reason when the function cannot get ready", async () => {
			const ns = await namespace(owner);
			const ended = { exitCode: 1, reason: "Error", message: "no such package: lefft-pad" };
			standIn(owner, ns, () => ({
				phase: "Pending",
				conditions: [{ type: "PodScheduled", status: "True" }],
				initContainerStatuses: [
					{ name: "prepare", ready: true, restartCount: 0, image: "x", imageID: "x", state: { terminated: { exitCode: 0 } } },
					{ name: "install", ready: false, restartCount: 0, image: "x", imageID: "x", state: { terminated: ended } },
				],
			}));
			const sentence = await fails("function", "deploy", "broken", "-f", file, "-r", "nodejs24", "-n", ns);
			assert.match(sentence, /Function "broken" does not get ready\. InstallFailed: install ended with exit code 1: no such package/);
			assert.match(await done("function", "ls", "-n", ns), /0\/1 NOT READY: InstallFailed/);
		});

		test("names the mistake: it exists, it is missing, its runtime is unknown, there is no pod", async () => {
			const ns = await namespace(owner);
			await done("function", "deploy", "hello", "-f", file, "--no-wait", "-n", ns);
			assert.match(
				await fails("function", "deploy", "hello", "-f", file, "-n", ns),
				/^Function "hello" exists in namespace \S+ already\. Change it with update\.$/m,
			);
			const missing = /^Function "nope" does not exist in namespace \S+\. See kubeless function list -A\.$/m;
			for (const word of ["call", "update", "describe", "logs", "history", "delete"]) {
				assert.match(await fails("function", word, "nope", "-n", ns), missing, word);
			}
			const unknown = await command("function", "deploy", "other", "-f", file, "-r", "nodejs1", "-n", ns);
			assert.equal(unknown.code, 2);
			assert.match(unknown.stderr, /Invalid runtime: nodejs1\. Supported runtimes are: .*nodejs24/);
			assert.match(await fails("function", "call", "hello", "-n", ns), /^Function "hello" has no pod that answers\. /);
		});

		test("reads standard input, and prints objects without a change with --dry-run", async () => {
			const ns = await namespace(owner);
			const args = ["function", "deploy", "piped", "-f", "-", "-r", "nodejs24", "--handler", "piped.handler", "-n", ns];
			const { code, stdout } = await run(["--kubeconfig", cluster.kubeconfig, ...args, "--dryrun", "-o", "json"], HELLO);
			assert.equal(code, 0);
			assert.equal(JSON.parse(stdout).spec.function, HELLO);
			assert.equal(await get("Function", ns, "piped"), undefined);
		});
	});

	test("calls a function through the proxy of the API server, and its exit code follows from the status", async (t) => {
		const address = Object.values(networkInterfaces())
			.flat()
			.find((one) => one && !one.internal && one.family === "IPv4")?.address;
		// The API server refuses loopback addresses of pods.
		if (!address) return t.skip("this machine has no address but loopback ones");
		const ns = await namespace(owner);
		const seen: object[] = [];
		const server = createServer(async (request, response) => {
			const body = Buffer.concat(await request.toArray()).toString();
			const { method, url = "", headers } = request;
			seen.push({ method, url, type: headers["content-type"], event: headers["event-namespace"], body });
			response.statusCode = Number(/status=(\d+)/.exec(url)?.[1] ?? 200);
			response.end(url === "/metrics" ? METRICS : `answer ${body}`);
		}).listen(0, address);
		owner.after(() => void server.close());
		await once(server, "listening");
		standIn(owner, ns, ({ spec }) => ({
			phase: "Running",
			podIP: address,
			podIPs: [{ ip: address }],
			conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({ type, status: "True" })),
			initContainerStatuses: [
				{ name: "prepare", ready: true, restartCount: 0, image: "x", imageID: "x", state: { terminated: { exitCode: 0 } } },
			],
			containerStatuses: (spec as { containers: { name: string; image: string }[] }).containers.map(({ name, image }) => ({
				...{ name, image, imageID: "x", ready: true, started: true, restartCount: 0, state: { running: {} } },
			})),
		}));
		const { port } = server.address() as AddressInfo;
		await done("function", "deploy", "hello", "-f", file, "-n", ns, "--port", String(port), "--servicePort", "80");
		// The controller manager makes no endpoint of a pod without a node, and the proxy takes no
		// address that is not a pod's.
		const [pod] = await list("Pod", ns);
		const targetRef = { kind: "Pod", namespace: ns, name: pod?.metadata.name };
		await api().send("POST", `/apis/discovery.k8s.io/v1/namespaces/${ns}/endpointslices`, {
			body: {
				apiVersion: "discovery.k8s.io/v1",
				kind: "EndpointSlice",
				metadata: { name: "by-hand", namespace: ns, labels: { "kubernetes.io/service-name": "hello" } },
				addressType: "IPv4",
				ports: [{ name: "http-function-port", port, protocol: "TCP" }],
				endpoints: [{ addresses: [address], targetRef, conditions: { ready: true } }],
			},
		});
		let last = "";
		await poll(
			async () => {
				const { code, stderr } = await command("function", "call", "hello", "-n", ns);
				last = stderr;
				return code === 0 ? true : undefined;
			},
			() => `the call does not reach the function: ${last}`,
			30_000,
		);
		seen.length = 0;
		assert.equal(await done("function", "call", "hello", "-n", ns, "-d", '{"a":1}', "--path", "/x?y=1"), 'answer {"a":1}');
		assert.deepEqual(seen, [{ method: "POST", url: "/x?y=1", type: "application/json", event: "cli.kubeless.io", body: '{"a":1}' }]);
		assert.equal(await done("function", "call", "hello", "-n", ns, "-d", `@${file}`, "-m", "put"), `answer ${HELLO}`);
		const failed = await command("function", "call", "hello", "-n", ns, "--path", "/?status=500");
		assert.deepEqual([failed.code, failed.stdout], [1, "answer "]);
		assert.match(failed.stderr, /^The function answers 500 Internal Server Error\. See kubeless function logs hello\.$/m);
		assert.match(await fails("function", "call", "hello", "-n", ns, "--path", "/?status=408"), /^Request timeout exceeded: /);
		assert.match(await done("function", "top", "-n", ns), /^hello +\S+ +GET +4 +1 +2 +0\.5$/m);
	});

	test("makes, changes, lists and deletes triggers and autoscalers", async () => {
		const ns = await namespace(owner);
		const at = ["-n", ns];
		await done("function", "deploy", "hello", "-f", file, "--no-wait", "--schedule", "@hourly", ...at);
		assert.match(await done("trigger", "cronjob", "list", ...at), new RegExp(`^hello +${ns} +hello +@hourly `, "m"));
		await done("trigger", "cronjob", "update", "hello", "--payload", '"x"', ...at);
		await eventually("CronJobTrigger", ns, "hello", ({ spec }) => (spec as { payload: unknown }).payload === "x");

		await done("trigger", "http", "create", "web", "--function-name", "hello", "--gateway", "nginx", "--hostname", "a.example", ...at);
		await condition("HTTPTrigger", ns, "web", "Configured", "Configured");
		await done("trigger", "http", "update", "web", "--path", "/hello", ...at);
		await eventually("Ingress", ns, "web", ({ spec }) => JSON.stringify(spec).includes("/hello"));
		assert.match(await done("trigger", "http", "list", ...at), /^web +\S+ +hello +http:\/\/a\.example\/hello /m);
		assert.match(await fails("trigger", "http", "create", "no", "--function-name", "nope", ...at), /Function "nope" does not exist/);

		for (const source of ["kafka", "nats"]) {
			await done("trigger", source, "create", "feed", "--trigger-topic", "t", "--function-selector", "function=hello", ...at);
			await done("trigger", source, "update", "feed", "--delivery", "at-least-once", "--max-attempts", "3", ...at);
			assert.match(await done("trigger", source, "list", "-o", "wide", ...at), /^feed +\S+ +t +function=hello +at-least-once/m);
			assert.match(await done("trigger", source, "delete", "feed", ...at), /deleted/);
		}

		await done("autoscale", "create", "hello", "--max", "3", "--value", "70", ...at);
		await eventually("HorizontalPodAutoscaler", ns, "hello");
		assert.match(await done("autoscale", "list", ...at), /^hello +\S+ +hello +1 +3 +cpu +70$/m);
		await done("autoscale", "delete", "hello", ...at);
		await gone("HorizontalPodAutoscaler", ns, "hello");
		await done("trigger", "http", "delete", "web", ...at);
		await gone("Ingress", ns, "web");
	});

	test("gets its credentials from a plugin", async () => {
		const ns = await namespace(owner);
		const config = JSON.parse(readFileSync(cluster.kubeconfig, "utf8"));
		const { token } = config.users[0].user;
		const credential = JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } });
		const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "echo", args: [credential], interactiveMode: "Never" };
		const kubeconfig = join(folder, "kubeconfig");
		writeFileSync(kubeconfig, JSON.stringify({ ...config, users: [{ name: config.users[0].name, user: { exec } }] }));
		const { code, stderr } = await run(["function", "list", "-n", ns, "--kubeconfig", kubeconfig]);
		assert.equal(code, 0, stderr);
	});

	test("installs into the cluster, keeps the settings that are there, and removes the controller again", async () => {
		const ns = `${await namespace(owner)}-install`;
		owner.after(async () => {
			// The other files need the cluster-wide objects, and kubeless-config.
			await done("install", "--no-wait");
			await api()
				.send("DELETE", `/api/v1/namespaces/${ns}`)
				.catch(() => {});
		});
		assert.match(await done("install", "--dry-run", "-n", ns, "--registry", "r.example/k"), /image: r\.example\/k\/controller:v/);
		await done("install", "-n", ns, "--registry", "r.example/k", "--no-wait");
		const settings = async () => (await eventually("ConfigMap", ns, "kubeless-config"))["data"] as Record<string, string>;
		assert.equal((await settings())["registry"], "r.example/k");
		await api().send("PATCH", `/api/v1/namespaces/${ns}/configmaps/kubeless-config`, {
			body: { data: { "functions-namespace": "mine" } },
			type: "application/merge-patch+json",
		});
		const waiting = await fails("install", "-n", ns, "--wait-timeout", "1");
		assert.match(waiting, /The controller is not ready after 1 s: /);
		assert.equal((await settings())["functions-namespace"], "mine");
		const [binding] = (
			await api().get<{ items: { subjects: { namespace: string }[] }[] }>(
				`/apis/rbac.authorization.k8s.io/v1/namespaces/${ns}/rolebindings`,
			)
		).items;
		assert.equal(binding?.subjects[0]?.namespace, ns);
		await done("uninstall", "-n", ns);
		await gone("Deployment", ns, "kubeless-controller");
		assert.equal(
			(await list("ConfigMap", ns)).some(({ metadata }) => metadata.name === "kubeless-config"),
			true,
		);
	});
});
