// npm run test:cluster [FILE …]: starts a control plane, installs the CRDs and the policy, and runs
// the tests of this folder against it. What tests start beside them belongs to this process, which
// outlives them.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { binary } from "./binary.ts";
import { NodeControl } from "./node/control.ts";
import { startPlane } from "./plane.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The first of the ports; CLUSTER_PORT moves them. */
const base = Number(process.env["CLUSTER_PORT"] || 12100);

// Whatever a killed run leaves is removed.
if (!process.env["TEST_RUN"]) (await import(new URL("../run/run.mjs", import.meta.url).href)).beginRun();
const program = binary("cluster");
const plane = await startPlane(program, base);
const node = new NodeControl(plane, base);
const control = createServer(async ({ method, url }, response) => {
	try {
		if (url !== "/node") await plane.restartApiServer();
		else if (method === "DELETE") await node.stop();
		else response.write(JSON.stringify(await node.start()));
	} catch (error) {
		response.writeHead(500).write((error as Error).message);
	}
	response.end();
}).listen(base + 5, "127.0.0.1");

const installed = spawnSync(program, ["kubectl", "--kubeconfig", plane.kubeconfig, "apply", "--server-side", "-k", "deploy/base"], {
	cwd: root,
	stdio: ["ignore", "ignore", "inherit"],
});
let code = installed.status ?? 1;
if (code === 0) {
	const files = process.argv.slice(2);
	// One file at a time: they share the cluster, and some restart its parts.
	const reporters: string[] = JSON.parse(process.env["TEST_REPORTERS"] ?? '["--test-reporter=spec"]');
	const options = ["--test", "--test-concurrency=1", "--test-timeout=900000", ...reporters];
	const child = spawn("node", [...options, ...(files.length > 0 ? files : ["test/cluster/*.test.ts"])], {
		cwd: root,
		env: {
			...process.env,
			KUBELESS_CLUSTER: JSON.stringify({ kubeconfig: plane.kubeconfig, server: plane.server, binary: program, port: base }),
		},
		stdio: "inherit",
	});
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
	code = await new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
}
control.close();
control.closeAllConnections();
await node.stop();
await plane.stop();
process.exit(code);
