// A stand-in for `bal`, which no package registry has. It checks those parts of a package that this
// runtime generates, and builds a jar in which Function.java (compiled into KUBELESS_STAND_IN)
// plays the handler. It does not understand Ballerina.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { balFiles, readSource } from "./sources.mjs";

const place = process.env.KUBELESS_STAND_IN;
const [command, ...options] = process.argv.slice(2);
const faults = [];
/** Some words that cannot be names. */
const RESERVED = new Set(
	"function service type class object record map table stream string int json xml error base16 base64 re client remote resource worker from where let select limit join start lock check return default".split(
		" ",
	),
);
/** The first words of top-level lines in the functions of these tests. */
const STARTS = new Set("import public function isolated service listener const final type class configurable string int map".split(" "));

if (command === "version") console.log("Ballerina 0.0.0 (a stand-in)");
else if (command === "build") build();
else fail(`unknown command '${command}'`);

function build() {
	appendFileSync(join(place, "builds"), `${process.cwd()} ${options.join(" ")}\n`);
	const settings = join(process.env.HOME ?? "", ".ballerina/Settings.toml");
	if (existsSync(settings)) cpSync(settings, join(place, "settings"));
	for (const option of options) if (option !== "--sticky") fail(`unknown option '${option}'`);
	if (!existsSync("Ballerina.toml")) fail("no package found: there is no Ballerina.toml");
	const own = Object.fromEntries(["org", "name", "version"].map((key) => [key, packageField(key)]));
	console.log(`Compiling source\n\t${own.org}/${own.name}:${own.version}`);

	const root = read(".");
	const modules = existsSync("modules") ? readdirSync("modules") : [];
	const sources = [...root, ...modules.flatMap((name) => read(join("modules", name)))];
	for (const source of sources) {
		checkImports(source, own, modules);
		checkDeclared(source);
	}
	checkNames(root);
	const handler = checkService(root);
	if (faults.length > 0) {
		for (const { file, line, column, message } of faults)
			console.log(`ERROR [${file}:(${line}:${column},${line}:${column + 1})] ${message}`);
		fail("compilation contains errors");
	}
	cpSync(".", join(place, "package"), { recursive: true, force: true });
	writeDependencies(sources, own);
	mkdirSync("target/bin", { recursive: true });
	writeFileSync("target/handler", handler);
	const content = ["-C", join(place, "classes"), ".", "-C", "target", "handler"];
	const jar = ["--create", "--file", `target/bin/${own.name}.jar`, "--main-class", "Function", ...content];
	const { status, stderr, error } = spawnSync("jar", jar, { encoding: "utf8" });
	if (status !== 0) fail(error?.message ?? stderr);
	console.log(`\nGenerating executable\n\ttarget/bin/${own.name}.jar`);
}

function read(folder) {
	return balFiles(folder).map((file) => readSource(file, STARTS, faults));
}

function packageField(key) {
	const [, table = ""] = readFileSync("Ballerina.toml", "utf8").match(/^\[package\]$([^[]*)/m) ?? fail("Ballerina.toml has no [package]");
	const values = [...table.matchAll(new RegExp(`^${key} *= *"([A-Za-z0-9_.]+)"$`, "gm"))];
	if (values.length !== 1) fail(`Ballerina.toml: [package] must have one '${key}'`);
	return values[0][1];
}

function checkImports({ file, plain }, own, modules) {
	plain.split("\n").forEach((text, index) => {
		const [, org, name, prefix] = /^import +(?:(\w+)\/)?([\w.]+)(?: +as +(\w+))?;/.exec(text) ?? [];
		if (name === undefined) return;
		const at = { file, line: index + 1, column: 1 };
		const word = `${org ?? ""}.${name}.${prefix ?? ""}`.split(".").find((part) => RESERVED.has(part));
		if (word !== undefined) faults.push({ ...at, message: `invalid token '${word}'` });
		const ours =
			org === undefined || org === own.org ? name.startsWith(`${own.name}.`) && modules.includes(name.slice(own.name.length + 1)) : false;
		if (!ours && org !== "ballerina") faults.push({ ...at, message: `cannot resolve module '${org ? `${org}/` : ""}${name}'` });
		const used = prefix ?? name.split(".").at(-1);
		if (!new RegExp(`\\b${used}:`).test(plain)) faults.push({ ...at, message: `unused module prefix '${used}'` });
	});
}

/** What is declared with a type is called by a word that is free for it. */
function checkDeclared({ file, plain }) {
	plain.split("\n").forEach((text, index) => {
		for (const [, name] of text.matchAll(
			/(?:\b(?:json|string|int|boolean|decimal|error|byte\[\]|(?:\w+:)?[A-Z]\w*)|[>\]?])[ ](\w+)(?= *[=;,)])/g,
		))
			if (RESERVED.has(name)) faults.push({ file, line: index + 1, column: 1, message: `invalid token '${name}'` });
	});
}

function checkNames(root) {
	const known = new Set();
	for (const { file, plain } of root) {
		plain.split("\n").forEach((text, index) => {
			const [, name] = /^(?:public +)?(?:isolated +)?function +(\w+)/.exec(text) ?? [];
			if (name === undefined) return;
			if (known.has(name)) faults.push({ file, line: index + 1, column: 1, message: `redeclared symbol '${name}'` });
			known.add(name);
		});
	}
}

/**
 * One service, at the port that the loader says, which calls a function there is; from an isolated
 * one to an isolated one.
 */
function checkService(root) {
	const services = root.filter(({ plain }) => /^(isolated )?service \/ on /m.test(plain));
	const [{ plain }] = services.length === 1 ? services : fail(`there are ${services.length} services`);
	if (!/new \(kubeless:port, host = "127\.0\.0\.1"/.test(plain)) fail("the service does not listen where the loader says");
	const [, handler] = /kubeless:answer\(trap (\w+)\((\w+)\.event, \2\.context\)\)/.exec(plain) ?? fail("the service calls nothing");
	const hidden = [...plain.matchAll(/(?:\.\.\.|http:Request|http:Response) (\w+)/g)].map(([, name]) => name);
	if (hidden.includes(handler)) fail(`the service hides the function '${handler}'`);
	const declared = new RegExp(`public +(isolated +)?function +${handler} *\\(\\w+:Event \\w+, \\w+:Context \\w+\\)`);
	const found = root.map((source) => declared.exec(source.plain)).find(Boolean) ?? fail(`undefined function '${handler}'`);
	const isolated = [/^isolated service /m.test(plain), /^ +isolated resource /m.test(plain)];
	if (isolated.some((one) => one !== (found[1] !== undefined))) fail("service and function do not agree on being isolated");
	return handler;
}

function writeDependencies(sources, own) {
	const names = new Set(sources.flatMap(({ plain }) => [...plain.matchAll(/^import ballerina\/([\w.]+)/gm)].map(([, name]) => name)));
	const entries = [...names].sort().map((name) => `[[package]]\norg = "ballerina"\nname = "${name}"\nversion = "1.0.0"\n`);
	const modules = `modules = [\n\t{org = "${own.org}", packageName = "${own.name}", moduleName = "${own.name}.kubeless"}\n]\n`;
	const mine = `[[package]]\norg = "${own.org}"\nname = "${own.name}"\nversion = "${own.version}"\n${modules}`;
	writeFileSync("Dependencies.toml", `[ballerina]\ndependencies-toml-version = "2"\n\n${[...entries, mine].join("\n")}`);
}

function fail(message) {
	console.log(`error: ${message}`);
	process.exit(1);
}
