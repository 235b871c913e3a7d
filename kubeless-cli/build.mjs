// node build.mjs [FOLDER]: bundles the command into dist/ or another folder: kubeless.mjs, the
// consumer trigger.mjs, and what they load only when it is used. deploy/base goes in as text, so
// that `kubeless install` needs no file.
import { chmodSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(here("package.json"), "utf8"));
const deploy = here("../deploy/base/");
const files = Object.fromEntries(readdirSync(deploy).map((name) => [name, readFileSync(deploy + name, "utf8")]));

const out = process.argv[2] ?? here("dist");

rmSync(out, { recursive: true, force: true });
await build({
	absWorkingDir: here("."),
	entryPoints: { kubeless: "src/main.ts", trigger: "../kubeless-trigger/src/main.ts" },
	outdir: out,
	outExtension: { ".js": ".mjs" },
	bundle: true,
	// `kafka publish` and `nats publish` load their clients when they run.
	splitting: true,
	chunkNames: "part-[hash]",
	minify: true,
	keepNames: true,
	platform: "node",
	target: "node22",
	format: "esm",
	legalComments: "none",
	logLevel: "warning",
	// The Kafka client's default build reads its WebAssembly from a file of its package.
	alias: { "@platformatic/wasm-utils": "@platformatic/wasm-utils/bundled" },
	define: { CLI_VERSION: JSON.stringify(version), DEPLOY_FILES: JSON.stringify(files) },
	// CommonJS dependencies call require for Node's own modules. A part may import createRequire
	// itself.
	banner: { js: 'import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);' },
});
chmodSync(join(out, "kubeless.mjs"), 0o755);
