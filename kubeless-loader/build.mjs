// Bundles the loader into one file, dist/loader.mjs: it starts faster, and an image needs nothing else.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

await build({
	absWorkingDir: import.meta.dirname ?? new URL(".", import.meta.url).pathname,
	entryPoints: ["src/main.ts"],
	outfile: "dist/loader.mjs",
	bundle: true,
	minify: true,
	platform: "node",
	target: "node24",
	format: "esm",
	sourcemap: "linked",
	legalComments: "none",
	define: { LOADER_VERSION: JSON.stringify(version) },
	// CommonJS dependencies call require for Node's own modules.
	banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
	logLevel: "warning",
});
