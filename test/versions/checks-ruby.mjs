// Compiles the worker with each version of Ruby that npm has in WebAssembly. It has no sockets and
// no threads, so the worker cannot run on it.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const RELEASE = "2.10.1";
const VERSIONS = ["3.2", "3.4", "4.0"];
const FOLDER = join(import.meta.dirname, "../../runtimes/ruby");

const place = join(process.env.CHECK_CACHE ?? ".", RELEASE);
if (!existsSync(join(place, "node_modules/@ruby/wasm-wasi"))) {
	const packages = ["wasm-wasi", ...VERSIONS.map((version) => `${version}-wasm-wasi`)].map((name) => `@ruby/${name}@${RELEASE}`);
	const options = ["--prefix", place, "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
	const { status } = spawnSync("npm", ["install", ...options, ...packages], { stdio: ["ignore", "ignore", "inherit"] });
	if (status !== 0) throw new Error("npm cannot install @ruby/wasm-wasi");
}
const { DefaultRubyVM } = createRequire(join(place, "any.js"))("@ruby/wasm-wasi/dist/node");
const files = globSync("{*,kubeless_worker/*}.rb", { cwd: FOLDER }).sort();

for (const version of VERSIONS) {
	const ruby = readFileSync(join(place, `node_modules/@ruby/${version}-wasm-wasi/dist/ruby+stdlib.wasm`));
	const { vm } = await DefaultRubyVM(await WebAssembly.compile(ruby));
	console.log(vm.eval("RUBY_VERSION").toString());
	const compile = vm.eval(`lambda do |source, file|
		RubyVM::InstructionSequence.compile(source.to_s, file.to_s)
		''
	rescue SyntaxError => e
		e.message
	end`);
	for (const file of files) {
		const text = compile.call("call", vm.wrap(readFileSync(join(FOLDER, file), "utf8")), vm.wrap(file)).toString();
		if (text) console.log(text);
	}
}
