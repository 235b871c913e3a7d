// serverless-kubeless, the plugin of the Serverless Framework, as npm has it. It is from 2018.
import { spawn } from "node:child_process";
import { cached, run } from "../brokers/download.ts";
import { cluster } from "./support.ts";

const PACKAGE = "serverless-kubeless@0.4.4";

/** Installs the plugin if the cache does not have it. Returns its folder. */
export const installPlugin = (): string =>
	cached("serverless-kubeless", PACKAGE, (folder) => {
		run("npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, PACKAGE);
	});

/** Calls lib/NAME.js of the plugin. Returns its log, the body of its answer, and its error. */
export async function callPlugin(plugin: string, name: string, ...args: unknown[]): Promise<{ log: string; error: string }> {
	const script = `const [plugin, name, ...args] = process.argv.slice(1).map((text) => JSON.parse(text));
		require(plugin + "/node_modules/serverless-kubeless/lib/" + name)(...args).then(
			(result) => { if (result?.body) console.log(result.body); process.exit(0); },
			(error) => { console.error(error.message ?? error); process.exit(1); },
		);`;
	const child = spawn(process.execPath, ["-e", script, "--", ...[plugin, name, ...args].map((value) => JSON.stringify(value))], {
		env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: plugin, NODE_NO_WARNINGS: "1" },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [log = "", error = ""] = await Promise.all(
		[child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
	);
	return { log, error };
}
