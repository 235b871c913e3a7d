// A stand-in for the command `ballerina` of 0.975 to 0.983, which no package registry has. It
// checks those parts of a project that this runtime generates. A program is the handler's name,
// which Function.java plays. It does not understand Ballerina.
import { appendFileSync, cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { balFiles, readSource } from "./sources.mjs";

const place = process.env.KUBELESS_STAND_IN;
const version = process.env.KUBELESS_STAND_IN_VERSION ?? "0.981.0";
const [command, ...options] = process.argv.slice(2);
const faults = [];
/** The first words of top-level lines in the functions of these tests and in the runtime. */
const STARTS = new Set("import public function type endpoint service @ map string int".split(" "));

if (command === "version") console.log(`Ballerina ${version}`);
else if (command === "build") build();
else fail(`unknown command '${command}'`);

function build() {
	appendFileSync(join(place, "builds"), `${process.cwd()} ${options.join(" ")}\n`);
	if (options.join(" ") !== "kubeless_run.bal") fail(`unexpected arguments '${options.join(" ")}'`);
	const modules = readdirSync(".", { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
	const read = (folder) => balFiles(folder).map((file) => readSource(file, STARTS, faults));
	const service = read(".");
	const sources = Object.fromEntries(modules.map((name) => [name, read(name)]));
	for (const source of [service, ...Object.values(sources)].flat()) checkImports(source, modules);
	const handler = checkService(service, sources.func ?? []);
	checkTypes(sources.kubeless ?? []);
	if (faults.length > 0) {
		for (const { file, line, column, message } of faults) {
			const [name, module = "."] = file.split("/").reverse();
			console.log(`error: ${module}:0.0.0/${name}:${line}:${column}: ${message}`);
		}
		process.exit(1);
	}
	cpSync(".", join(place, "package"), { recursive: true, force: true });
	console.log(`Compiling source\n    kubeless_run.bal\n\nGenerating executable\n    kubeless_run.balx`);
	writeFileSync("kubeless_run.balx", handler);
}

function checkImports({ file, plain }, modules) {
	plain.split("\n").forEach((text, index) => {
		const [, org, name] = /^ *import +(?:(\w+)\/)?([\w.]+)(?: +as +\w+)?;/.exec(text) ?? [];
		if (name === undefined || org === "ballerina" || (org === undefined && modules.includes(name))) return;
		faults.push({ file, line: index + 1, column: 1, message: `cannot resolve module '${org ? `${org}/` : ""}${name}'` });
	});
}

/**
 * There is one service, at the loopback address, which calls a public function of the module func.
 * Returns the function's name.
 */
function checkService(service, sources) {
	const [{ plain }] = service.length === 1 ? service : fail(`there are ${service.length} files beside the modules`);
	if (!/^endpoint http:Listener kubelessListener \{[^}]*host: "127\.0\.0\.1",[^}]*port: kubeless:port\(\)/m.test(plain))
		fail("the service does not listen where the loader expects it");
	if (!/^service<http:Service> \w+ bind kubelessListener \{/m.test(plain)) fail("there is no service at the listener");
	for (const path of ["/", "/*"]) if (!plain.includes(`path: "${path}"`)) fail(`no resource has the path ${path}`);
	if (version.startsWith("0.975.") === plain.includes("timeoutMillis")) fail("undefined field 'timeoutMillis' in record");
	const [, handler] = /= func:(\w+)\(/.exec(plain) ?? fail("the service calls nothing");
	const declared = new RegExp(`public +function +${handler} *\\(\\w+:Event \\w+, \\w+:Context \\w+\\)`);
	if (!sources.some(({ plain }) => declared.test(plain))) fail(`undefined function '${handler}' in module 'func'`);
	return handler;
}

function checkTypes(sources) {
	for (const name of ["Event", "Context"])
		if (!sources.some(({ plain }) => plain.includes(`public type ${name} record {`))) fail(`unknown type '${name}'`);
}

function fail(message) {
	console.log(`error: ${message}`);
	process.exit(1);
}
