// Makes dist/express.js: what extensions.request and extensions.response are made of, out of Express, in one file. The
// first function to look at them waits for it to load, so its packages are loaded as they are used, most of them never.
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

/** Files that name what they need on their first lines, but use little of it in a call. */
const EAGER = /node_modules\/(express\/lib\/(?:middleware\/)?\w+|type-is\/index|accepts\/index|send\/index)\.js$/;
const REQUIRE = /^var (\w+) = (require\('(?:\.\/router|[a-z][a-z-]*)'\)(?:\.\w+)?|send\.mime);?$/gm;
/** Modules of Node.js that are there anyway, and those used while the file loads. */
const AT_ONCE = /'(http|path|fs|util|stream|net|methods|safe-buffer|querystring)'/;

const lazyRequires = {
	name: "lazy-requires",
	setup({ onLoad }) {
		onLoad({ filter: EAGER }, async ({ path }) => ({
			contents: (await readFile(path, "utf8")).replace(REQUIRE, (line, name, value) =>
				AT_ONCE.test(value) ? line : `var ${name} = lazily(function () { return ${value} });`,
			),
		}));
	},
};

/** Warnings for the authors of Express applications, and looking up where each was caused takes longer than all the rest. */
const silent = {
	name: "silent",
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^(debug|depd)$/ }, ({ path }) => ({ path, namespace: "silent" }));
		onLoad({ filter: /.*/, namespace: "silent" }, () => ({
			contents: `
				module.exports = () => Object.assign(() => {}, { enabled: false, function: (fn) => fn, property() {} });
			`,
		}));
	},
};

/** JSON.parse reads a table three times as fast as the compiler does. */
const tables = {
	name: "tables",
	setup({ onLoad }) {
		onLoad({ filter: /\.json$/ }, async ({ path }) => {
			const text = JSON.stringify(JSON.parse(await readFile(path, "utf8")));
			return { contents: `module.exports = JSON.parse(${JSON.stringify(text)})` };
		});
	},
};

await build({
	stdin: {
		contents: `
			exports.application = require("express/lib/application");
			exports.request = require("express/lib/request");
			exports.response = require("express/lib/response");
		`,
		resolveDir: import.meta.dirname,
	},
	banner: {
		js: `const lazily = (load) => {
	let loaded;
	const get = () => loaded || (loaded = load());
	return new Proxy(function () {}, {
		get: (_, name) => get()[name],
		apply: (_, self, values) => Reflect.apply(get(), self, values),
		construct: (_, values) => Reflect.construct(get(), values),
	});
};`,
	},
	outfile: new URL("dist/express.js", import.meta.url).pathname,
	bundle: true,
	minify: true,
	platform: "node",
	format: "cjs",
	target: "node8",
	plugins: [lazyRequires, silent, tables],
	legalComments: "eof",
	logOverride: { "unsupported-require-call": "silent" }, // view engines are the function's own
});
