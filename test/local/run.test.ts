import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { basename, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { folder } from "../support/loader.ts";
import { BIN, LocalCommand, run, tell } from "../support/local-command.ts";
import { everyLanguage, languageOf } from "./languages.ts";
import { mistake } from "./mistake.ts";

everyLanguage("kubeless-loader run", (language) => {
	const { suffix } = language;
	const conformance = language.example(`conformance${suffix}`);

	test("serves a file from any folder and says where, with a curl line to paste", async (t) => {
		const place = folder(t, { [`a folder/ünï one${suffix}`]: language.single("found") });
		mkdirSync(join(place, "elsewhere"));
		const local = await run(t, [`../a folder/ünï one${suffix}`], { cwd: join(place, "elsewhere") });
		assert.match(local.output, new RegExp(`^ünï one\\${suffix} is served at http://localhost:${local.port} `, "m"));
		const curl = await local.wrote(/^ *curl /);
		const { error, stdout } = spawnSync("sh", ["-c", curl], { encoding: "utf8" });
		if (!error && stdout !== "") assert.equal(stdout, "found");
		assert.equal(await local.answer(), "found");
		assert.deepEqual(await local.stop(), { code: 0, signal: null });
		assert.equal(local.stderr, "");
	});

	test("takes the handler that --handler names, before the one that FUNC_HANDLER does", async (t) => {
		const named = await run(t, [conformance, "--handler", "echoes"], { env: { FUNC_HANDLER: "prints" } });
		assert.equal(await named.answer("both"), "both");
		const set = await run(t, [conformance], { env: { FUNC_HANDLER: "prints" } });
		assert.equal(await set.answer("set"), "printed");
	});

	test("lists the handlers of a file that has several, and says how to name one", async (t) => {
		const told = await mistake(t, ["run", conformance]);
		for (const handler of ["echoes", "sleeps", "raises"]) assert.match(told, new RegExp(`\\b${handler}\\b`));
		assert.match(told, new RegExp(`^conformance\\${suffix} has several handlers: .* name one with --handler`));
		assert.equal(told.split("sleeps").length, 2, `they are listed once: ${told}`);
	});

	test("lists the handlers of a file that has not the one named", async (t) => {
		const told = await mistake(t, ["run", conformance, "--handler", "missing"]);
		assert.match(told, /missing/);
		for (const handler of ["echoes", "sleeps"]) assert.match(told, new RegExp(`\\b${handler}\\b`));
	});

	test("says file and line of a file that cannot be loaded", async (t) => {
		const told = await mistake(t, ["run", language.example(`conformance-broken${suffix}`)]);
		assert.match(told, new RegExp(`conformance-broken\\${suffix}\\D+17\\b`));
	});

	test("gives the function what --env says, however often, as it is written", async (t) => {
		const given = ["--env", "FUNC_MEMORY_LIMIT=77Mi", "--env", "FUNC_TIMEOUT=9", "--env=ODD=a=b c $HOME '", "--env", "EMPTY="];
		const local = await run(t, [conformance, "--handler", "context", ...given], { env: { FUNC_MEMORY_LIMIT: "1Mi" } });
		const context = JSON.parse(await local.answer());
		assert.equal(context["memory-limit"], "77Mi");
		assert.equal(Number(context.timeout), 9);
		const files = language.own("env");
		if (files === undefined) return t.diagnostic("no function that tells its environment");
		const own = await run(t, [join(folder(t, files), `env${suffix}`), ...given], { env: { INHERITED: "from the shell" } });
		assert.equal(await own.answer("ODD"), "a=b c $HOME '");
		assert.equal(await own.answer("EMPTY"), "");
		assert.equal(await own.answer("INHERITED"), "from the shell");
		assert.equal(await own.answer("NOBODY_SET_THIS"), "not set");
	});

	test("ends a call after FUNC_TIMEOUT and serves on", async (t) => {
		const local = await run(t, [conformance, "--handler", "sleeps"], { env: { FUNC_TIMEOUT: "1.5" } });
		assert.equal((await local.ask("9000")).status, 408);
		assert.equal(await local.answer("1"), "slept");
	});

	test("takes a file of any name when --runtime, or FUNC_RUNTIME, says the language", async (t) => {
		const files = { "function.text": language.single("no suffix tells"), bare: language.single("nor here") };
		const place = folder(t, files);
		const local = await run(t, [join(place, "function.text"), "--runtime", language.id]);
		assert.equal(await local.answer(), "no suffix tells");
		const versioned = await run(t, [join(place, "bare"), "--runtime", `${language.id}3.11`]);
		assert.equal(await versioned.answer(), "nor here");
		const set = await run(t, [join(place, "bare")], { env: { FUNC_RUNTIME: `${language.id}3.11` } });
		assert.equal(await set.answer(), "nor here");
	});

	test("leaves the function's folder as it was", async (t) => {
		const files = { ...language.own("helper"), [`alone${suffix}`]: language.single("alone") };
		const withDeps = language.depsFile === undefined ? files : { ...files, [language.depsFile]: "" };
		for (const name of [`alone${suffix}`, `helped${suffix}`].filter((file) => file in files)) {
			const place = folder(t, withDeps);
			const local = await run(t, [join(place, name)]);
			assert.equal((await local.ask()).status, 200);
			await local.stop();
			assert.deepEqual(readdirSync(place).sort(), Object.keys(withDeps).sort());
			for (const [file, text] of Object.entries(withDeps)) assert.equal(readFileSync(join(place, file), "utf8"), text, file);
		}
	});
});

for (const [file, answer] of Object.entries({ "esm.mjs": "esm.mjs by esm", "typed.ts": "typed.ts by typed" })) {
	test(`nodejs: serves ${file}`, async (t) => {
		const place = folder(t, languageOf("nodejs").own("other"));
		assert.equal(await (await run(t, [file], { cwd: place })).answer(), answer);
	});
}

const node = languageOf("nodejs");
const hello = (t: Parameters<typeof folder>[0]) => join(folder(t, { "hello.js": node.single("hello") }), "hello.js");

/** A free port, or one that is in use as long as the test runs. */
async function aPort(t: { after(clear: () => void): void }, taken: boolean): Promise<string> {
	const server = net.createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as net.AddressInfo;
	if (taken) t.after(() => void server.close());
	else await new Promise((resolve) => server.close(resolve));
	return String(port);
}

test("listens where --port says, else where FUNC_PORT does", async (t) => {
	const [first, second] = [await aPort(t, false), await aPort(t, false)];
	const told = await run(t, [hello(t), "--port", first], { env: { FUNC_PORT: second } });
	assert.equal(String(told.port), first);
	assert.equal(await told.answer(), "hello");
	const set = await run(t, [hello(t)], { env: { FUNC_PORT: second } });
	assert.equal(String(set.port), second);
	assert.equal(await set.answer(), "hello");
});

test("port 0 is one that is free, and the line says which", async (t) => {
	const locals = await Promise.all([1, 2].map(() => run(t, [hello(t), "--port", "0"], { env: { FUNC_PORT: undefined } })));
	assert.notEqual(locals[0]?.port, locals[1]?.port);
	for (const local of locals) assert.equal(await local.answer(), "hello");
});

test("only this machine can reach it", async (t) => {
	const local = await run(t, [hello(t)]);
	const listening = readFileSync("/proc/net/tcp", "utf8")
		.split("\n")
		.filter((line) => line.includes(`:${local.port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`));
	assert.equal(listening.length, 1);
	assert.match(listening[0] as string, /: 0100007F:/);
	const listening6 = readFileSync("/proc/net/tcp6", "utf8");
	assert.doesNotMatch(listening6, new RegExp(`:${local.port.toString(16).toUpperCase().padStart(4, "0")} 0+:0000 0A`));
});

test("--help says all options, before anything is looked for", async (t) => {
	for (const words of [["--help"], ["-h"], ["help"], ["run", "--help"], ["run", "-h"], ["run", "no-such-file.js", "--help"]]) {
		const { code, output, stderr } = await tell(t, words);
		assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
		for (const option of ["--handler", "--port", "--runtime", "--env", "--no-watch"]) assert.ok(output.includes(option), words.join(" "));
	}
});

test("--version says the version", async (t) => {
	const { code, output } = await tell(t, ["--version"]);
	const { version } = JSON.parse(readFileSync(fileURLToPath(new URL("../../kubeless-loader/package.json", import.meta.url)), "utf8"));
	assert.deepEqual({ code, output }, { code: 0, output: version });
});

test("a mistake in the command ends it with one message that says what to do", async (t) => {
	const place = folder(t, { "hello.js": node.single("hello"), "notes.xyz": "", "empty.js": "" });
	const taken = await aPort(t, true);
	const told = (...words: string[]) => mistake(t, words, { cwd: place });
	assert.match(await told("serve"), /"serve".*--help/);
	assert.match(await told("run"), /file/i);
	assert.match(await told("run", "hello.js", "other.js"), /one file.*hello\.js, other\.js/i);
	assert.match(await told("run", "gone.js"), /no file .*gone\.js/);
	assert.match(await told("run", "."), new RegExp(`${basename(place)}.* is a folder`));
	const unknown = await told("run", "notes.xyz");
	assert.match(unknown, /notes\.xyz/);
	assert.match(unknown, /\.js\b/);
	assert.match(unknown, /runtime.*nodejs/);
	assert.match(await told("run", "hello.js", "--runtime", "cobol"), /"cobol".*nodejs/);
	assert.match(await told("run", "hello.js", "--colour"), /--colour/);
	assert.match(await told("run", "hello.js", "--port"), /--port/);
	assert.match(await told("run", "hello.js", "--port", "http"), /--port http.*0 to 65535/);
	assert.match(await told("run", "hello.js", "--port", "65536"), /65536/);
	assert.match(await told("run", "hello.js", "--port", taken), new RegExp(`${taken}.*in use`));
	assert.match(await told("run", "hello.js", "--env", "NAME"), /NAME=VALUE/);
	assert.match(await told("run", "hello.js", "--env", "=x"), /NAME=VALUE/);
	assert.match(await told("run", "hello.js", "--env"), /--env/);
	assert.match(await told("run", "hello.js", "--handler"), /--handler/);
	assert.match(await told("run", "hello.js", "--no-watch=yes"), /--no-watch/);
	assert.match(await told("run", "empty.js"), /empty\.js/);
});

test("a mistake in the environment ends it with every variable that is wrong and how to write it", async (t) => {
	const env = { FUNC_TIMEOUT: "soon", FUNC_PORT: "http", REQ_MB_LIMIT: "-1" };
	const told = await mistake(t, ["run", hello(t)], { env });
	for (const [name, value] of Object.entries(env)) assert.match(told, new RegExp(`${name} is "${value}": give `));
});

for (const [id, program] of Object.entries({ nodejs: "node", python: "python3", php: "php", go: "go", ruby: "ruby" })) {
	test(`${id}: a missing language is reported as missing, with the packages that install it`, async (t) => {
		const { name, suffix, single } = languageOf(id);
		const place = folder(t, { [`f${suffix}`]: single("hello") });
		const text = await mistake(t, ["run", join(place, `f${suffix}`)], { env: { PATH: folder(t), KUBELESS_LOADER_CACHE: folder(t) } });
		const missing = id === "ruby" ? "sh" : program; // its check is a line of shell
		assert.match(text, new RegExp(`^${name} is not installed: \`${missing}\` was not found\\. Install it, on Debian: apt-get install \\S`));
	});
}

test("a load that takes more than 2 s is announced on the terminal", async (t) => {
	const slow = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);\n";
	const place = folder(t, { "f.js": slow + node.single("loaded") });
	const local = await run(t, [join(place, "f.js")]);
	await local.wrote(/^f\.js is still being compiled or loaded/);
	assert.equal(await local.answer(), "loaded");
});

test("at a terminal, a function that cannot be loaded at the start is loaded when it is saved", async (t) => {
	const place = folder(t, { "f.js": "exports.h = () => {\n" });
	const command = `${process.execPath} ${BIN} run ${join(place, "f.js")}`;
	const local = new LocalCommand(t, [], { command: ["script", "--quiet", "--return", "--command", command, "/dev/null"] });
	await local.wrote(/^Waiting until f\.js is saved/);
	assert.equal(local.lines.filter((line) => /^Cannot load .*SyntaxError/.test(line)).length, 1, local.output);
	assert.doesNotMatch(local.output, /^error:/m);
	writeFileSync(join(place, "f.js"), 'exports.h = () => "saved";\n');
	await local.serving();
	assert.equal(await local.answer(), "saved");
});
