// Parses the worker with each version of PHP that npm has in WebAssembly. It has no processes and
// no sockets, so the worker cannot run on it.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const RELEASE = "3.0.42"; // the last one that has PHP 7.2 and 7.3
const VERSIONS = ["7.2", "7.3", "7.4", "8.0", "8.1", "8.2", "8.3", "8.4", "8.5"];
const FOLDER = join(import.meta.dirname, "../../runtimes/php");

const place = join(process.env.CHECK_CACHE ?? ".", RELEASE);
if (!existsSync(join(place, "node_modules/@php-wasm/node"))) {
	const packages = ["node", "universal"].map((name) => `@php-wasm/${name}@${RELEASE}`);
	const options = ["--prefix", place, "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
	const { status } = spawnSync("npm", ["install", ...options, ...packages], { stdio: ["ignore", "ignore", "inherit"] });
	if (status !== 0) throw new Error("npm cannot install @php-wasm/node");
}
const load = (name) => import(pathToFileURL(createRequire(join(place, "any.js")).resolve(name)));
const { loadNodeRuntime } = await load("@php-wasm/node");
const { PHP } = await load("@php-wasm/universal");
const files = globSync("{worker.php,bom.php,worker/*.php}", { cwd: FOLDER }).sort();

for (const version of VERSIONS) {
	const php = new PHP(await loadNodeRuntime(version, { emscriptenOptions: { processId: 1 } }));
	const { text: full } = await php.run({ code: "<?php echo PHP_VERSION;" });
	console.log(full);
	for (const file of files) {
		php.writeFile("/source.php", readFileSync(join(FOLDER, file), "utf8"));
		const code = `<?php
			try { token_get_all(file_get_contents('/source.php'), TOKEN_PARSE); }
			catch (ParseError $error) { echo $error->getLine(), ': ', $error->getMessage(); }`;
		const { text } = await php.run({ code });
		if (text) console.log(`${file}:${text}`);
	}
	php.exit();
}
process.exit(0);
