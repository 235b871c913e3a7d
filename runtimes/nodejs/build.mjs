// Makes dist/express.js, of which extensions.request and extensions.response are made, and dist/node6.js, which is src/ in
// the syntax of Node.js 6.
import { join } from "node:path";
import { build } from "esbuild";

const HERE = import.meta.dirname;
const COMMON = { absWorkingDir: HERE, bundle: true, platform: "node", format: "cjs", target: "node6" };
const SILENT = join(HERE, "build/silent.js");

await build({
	...COMMON,
	stdin: {
		contents: `
			exports.application = require("express/lib/application");
			exports.request = require("express/lib/request");
			exports.response = require("express/lib/response");
		`,
		resolveDir: HERE,
	},
	// Half of Express's loading time is for packages that are not used here, or only for one simple function.
	alias: { debug: SILENT, depd: SILENT, finalhandler: SILENT, "side-channel": join(HERE, "build/map.js") },
	outfile: "dist/express.js",
	minify: true,
	legalComments: "eof",
	logOverride: { "unsupported-require-call": "silent" }, // view engines are the function's own
});

await build({
	...COMMON,
	entryPoints: ["src/worker.js"],
	outfile: "dist/node6.js",
	// Node.js before 12 cannot parse import(), so that file stays one of its own.
	external: ["./src/handler/import.js", "./dist/express.js", "esbuild"],
	supported: { destructuring: true, "for-of": true }, // Node.js 6.17 has them, apart from cases that do not occur here
});
