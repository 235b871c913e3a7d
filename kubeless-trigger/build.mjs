// Bundles the consumer into dist/trigger.mjs: an image needs nothing else but Node.js.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
	absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
	entryPoints: ["src/main.ts"],
	outfile: "dist/trigger.mjs",
	bundle: true,
	minify: true,
	platform: "node",
	target: "node24",
	format: "esm",
	sourcemap: "linked",
	legalComments: "none",
	logLevel: "warning",
	// The other form reads its WebAssembly from a file of the package.
	alias: { "@platformatic/wasm-utils": "@platformatic/wasm-utils/bundled" },
	// CommonJS dependencies call require for Node's own modules.
	banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});
