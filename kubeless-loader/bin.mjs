#!/bin/sh
true; // 2>/dev/null; KUBELESS_NODE_OPTIONS="$NODE_OPTIONS" NODE_OPTIONS= exec node "$0" "$@"

// Starts the bundled loader on a Node.js that is new enough: this one, or the one that npm
// installed with it. As a command it is read by sh first: NODE_OPTIONS is for the function, and
// Node.js would obey it before it runs this file.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
const bundle = new URL("./dist/loader.mjs", import.meta.url);

// `node bin.mjs`: what NODE_OPTIONS preloads is in this process, and not in the one that follows.
const { NODE_OPTIONS } = process.env;
if (NODE_OPTIONS && process.execve) {
	const env = { ...process.env, KUBELESS_NODE_OPTIONS: NODE_OPTIONS, NODE_OPTIONS: "" };
	process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], env);
}

if (!existsSync(bundle)) {
	console.error("kubeless-loader: it is not built yet; run: npm run build");
	process.exit(1);
}
if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
	module.enableCompileCache?.();
	await import(bundle.href);
} else {
	const own = newerNode();
	if (own === undefined) {
		console.error(
			`kubeless-loader needs Node.js ${NEEDED} or newer, but this is Node.js ${process.versions.node}. Install it, or reinstall without --omit=optional.`,
		);
		process.exit(1);
	}
	const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
	child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

/** Returns the Node.js of the checkout, or the one that was installed with the package. */
function newerNode() {
	const { resolve } = module.createRequire(import.meta.url);
	for (const name of ["node", `node-${process.platform}-${process.arch}`]) {
		try {
			return resolve(`${name}/bin/node`);
		} catch {
			// It is not installed.
		}
	}
	return undefined;
}
