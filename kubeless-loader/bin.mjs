#!/usr/bin/env node
// Starts the bundled loader on a Node.js that is new enough: this one, or the one the checkout brought along.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
const bundle = new URL("./dist/loader.mjs", import.meta.url);

if (!existsSync(bundle)) {
	console.error("kubeless-loader: it is not built yet; run: npm run build");
	process.exit(1);
}
if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
	module.enableCompileCache?.();
	await import(bundle.href);
} else {
	const own = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
	if (!existsSync(own)) {
		console.error(
			`kubeless-loader: this is Node.js ${process.versions.node}, and it needs ${NEEDED} or newer; install that, or run: npm install`,
		);
		process.exit(1);
	}
	const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
	child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
