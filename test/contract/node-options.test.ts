import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { folder, startLoader } from "../support/loader.ts";

const BIN = fileURLToPath(new URL("../../kubeless-loader/bin.mjs", import.meta.url));
const AGENT = "globalThis.agent = 'agent was loaded';";

test("NODE_OPTIONS is the function's: its worker has the agent, and the loader runs without", async (t) => {
	const place = folder(t, { "agent.cjs": AGENT });
	const options = `--require ${place}/agent.cjs`;
	const source = "exports.h = () => [globalThis.agent, process.env.NODE_OPTIONS, process.env.KUBELESS_NODE_OPTIONS].join()";
	const loader = await startLoader(t, { files: { "f.js": source }, env: { MOD_NAME: "f", FUNC_RUNTIME: "nodejs", NODE_OPTIONS: options } });
	assert.equal((await loader.ask()).text, `agent was loaded,${options},`);
	const environment = readFileSync(`/proc/${loader.child.pid}/environ`, "utf8").split("\0");
	assert.ok(environment.includes("NODE_OPTIONS="), "the loader was started with NODE_OPTIONS");
});

test("as a command the loader starts although NODE_OPTIONS names a package that only the function has", () => {
	const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;
	const version = execFileSync(BIN, ["--version"], { env: { PATH, NODE_OPTIONS: "--require no-such-agent" }, encoding: "utf8" });
	assert.match(version, /^\d+\.\d+\.\d+/);
});
