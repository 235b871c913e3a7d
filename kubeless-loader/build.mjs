// Bundles the loader into one file, dist/loader.mjs: it starts faster, and an image needs nothing
// else. Code that serving does not need, `kubeless-loader conform` and its vectors, is a second
// bundle, dist/conform.mjs. The manifest's schema is copied beside them.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import standaloneCode from "ajv/dist/standalone/index.js";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(here("package.json"), "utf8"));

const common = {
	absWorkingDir: here("."),
	bundle: true,
	minify: true,
	platform: "node",
	target: "node24",
	format: "esm",
	sourcemap: "linked",
	legalComments: "none",
	logLevel: "warning",
};

/** Puts the validator's generated code in the place of ajv and the schema. */
const compiledValidator = {
	name: "compiled-validator",
	setup: ({ onLoad }) =>
		onLoad({ filter: /\/manifest-validator\.ts$/ }, () => {
			const schema = JSON.parse(readFileSync(here("../runtimes/runtime.schema.json"), "utf8"));
			const ajv = new Ajv2020({ verbose: true, useDefaults: true, code: { source: true, esm: true } });
			ajv.addSchema(schema, "manifest");
			return { contents: standaloneCode.default(ajv, { validate: "manifest" }), resolveDir: here(".") };
		}),
};

await build({
	...common,
	entryPoints: ["src/main.ts"],
	outfile: "dist/loader.mjs",
	// esbuildDetection: undici then leaves out its second parser, which is not used.
	define: { LOADER_VERSION: JSON.stringify(version), esbuildDetection: "true" },
	// CommonJS dependencies call require for Node's own modules.
	banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
	plugins: [
		{
			// An import of node:http reads all of its exports and so loads fetch: 20 ms and 3 MiB that
			// require does not take.
			name: "node-by-require",
			setup: ({ onResolve, onLoad }) => {
				onResolve({ filter: /^node:/ }, ({ path, kind }) => (kind === "import-statement" ? { path, namespace: "node" } : undefined));
				onLoad({ filter: /.*/, namespace: "node" }, ({ path }) => ({ contents: `module.exports = require("${path}");` }));
			},
		},
		{
			// Of undici only the HTTP/1.1 client is used, on amd64 and arm64: without fetch, HTTP/2 and the
			// parser for CPUs without SIMD.
			name: "undici-http1",
			setup: ({ onLoad }) =>
				onLoad({ filter: /undici\/lib\/(?:web\/.*|dispatcher\/client-h2\.js|llhttp\/llhttp-wasm\.js)$/ }, () => ({
					contents: "module.exports = undefined;",
				})),
		},
		{
			// Fastify's HTTP/2 and TLS and prom-client's push gateway are not used, and loading them takes
			// time.
			name: "unused-modules",
			setup: ({ onResolve, onLoad }) => {
				onResolve({ filter: /^(?:node:)?(?:https|http2|zlib)$/ }, ({ path, importer }) =>
					/node_modules\/(?:fastify|prom-client)\//.test(importer) ? { path, namespace: "unused" } : undefined,
				);
				onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
			},
		},
		compiledValidator,
		{
			name: "conform-apart",
			setup: ({ onResolve }) => onResolve({ filter: /\/conform\/command\.ts$/ }, () => ({ path: "./conform.mjs", external: true })),
		},
	],
});

await build({
	...common,
	entryPoints: ["src/conform/command.ts"],
	outfile: "dist/conform.mjs",
	define: {
		VECTOR_FILES: JSON.stringify(vectors()),
		CONFORMANCE_PAGE: JSON.stringify(readFileSync(here("../docs/conformance.md"), "utf8")),
	},
	banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
	plugins: [compiledValidator],
});

copyFileSync(here("../runtimes/runtime.schema.json"), here("dist/runtime.schema.json"));

function vectors() {
	const folder = here("../runtimes/vectors/");
	const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".json"));
	if (files.length === 0) throw new Error(`${folder} has no vectors`);
	return Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(folder + file, "utf8"))]));
}
