// Functions whose pods need more than the function's text: a compiler, dependencies, an archive, a
// Secret.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { zip } from "../../images/archive.ts";
import { tar } from "../../images/tar.ts";
import type { Owner } from "../../support/owner.ts";
import { kubectl, namespace } from "../support.ts";
import type { Context } from "./context.ts";

/**
 * A function in each compiled language: its file, its handler, and a text that cannot be compiled.
 */
const COMPILED: Readonly<Record<string, { file: string; handler: string; text: string; broken: string; error: RegExp }>> = {
	go: {
		file: "hello.go",
		handler: "hello.Hello",
		text: `package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

func Hello(event functions.Event, context functions.Context) (string, error) {
	return "hello " + event.Data, nil
}
`,
		broken: "package kubeless\n\nfunc Hello() { nothing() }\n",
		error: /undefined: nothing/,
	},
};

const ANSWERS_SECRET = `const { readFileSync } = require("node:fs");
exports.handler = (event) => (event.data === "wait" ? new Promise(() => {}) : readFileSync("/key/password", "utf8"));
`;

export function testOptions({ address, folder, runtimes, compiled, nodejs, done, fails }: Context): void {
	const python = runtimes.find((runtime) => runtime.startsWith("python")) ?? "";
	const write = (name: string, text: string): string => {
		const path = join(folder, name);
		writeFileSync(path, text);
		return path;
	};

	for (const runtime of compiled) {
		const { file, handler, text, broken, error } = COMPILED[runtime.replace(/[\d.]+$/, "")] ?? assert.fail(`COMPILED lacks ${runtime}`);
		test(`${runtime}: is compiled in its pod and called, and the compiler's error ends the deployment`, async (t) => {
			const ns = await namespace(t);
			const options = ["-r", runtime, "--handler", handler, "-n", ns];
			await done("function", "deploy", "hello", "-f", write(file, text), ...options);
			assert.equal(await done("function", "call", "hello", "-d", "world", "-n", ns), "hello world");
			const sentence = await fails("function", "deploy", "broken", "-f", write(file, broken), ...options);
			assert.match(sentence, /Function "broken" does not get ready\. CompileFailed: compile ended with exit code 1/);
			assert.match(sentence, error);
		});
	}

	test(`${python}: installs its dependencies from the registry that a variable names, and a missing package ends the deployment`, async (t) => {
		const ns = await namespace(t);
		const registry = await serve(t, address, { "/simple/thing/": '<a href="/thing-1.0-py3-none-any.whl">thing</a>', ...WHEEL });
		const options = ["-r", python, "-n", ns, "-e", `PIP_INDEX_URL=${registry}/simple`, "-e", `PIP_TRUSTED_HOST=${address}`];
		const file = write("deps.py", "import thing\n\n\ndef handler(event, context):\n    return thing.NAME\n");
		await done("function", "deploy", "deps", "-f", file, "-d", write("requirements.txt", "thing\n"), ...options);
		assert.equal(await done("function", "call", "deps", "-n", ns), "a thing");
		const missing = write("missing.txt", "nothing-of-this-name\n");
		const sentence = await fails("function", "deploy", "missing", "-f", file, "--handler", "deps.handler", "-d", missing, ...options);
		assert.match(sentence, /Function "missing" does not get ready\. InstallFailed: install ended with exit code 1.*nothing-of-this-name/s);
	});

	test("comes from an archive behind a URL, and has a port, a Secret and a timeout of its own", async (t) => {
		const ns = await namespace(t);
		const server = await serve(t, address, { "/secret.tar.gz": gzipSync(tar([{ name: "secret.js", text: ANSWERS_SECRET }])) });
		const made = await kubectl(["create", "secret", "generic", "key", "--from-literal=password=open sesame", "-n", ns]);
		assert.equal(made.status, 0, made.stderr);
		await done(
			...["function", "deploy", "hello", "-f", `${server}/secret.tar.gz`, "-r", nodejs, "--handler", "secret.handler", "-n", ns],
			...["--port", "9000", "--servicePort", "80", "--secrets", "key", "--timeout", "2"],
		);
		assert.equal(await done("function", "call", "hello", "-n", ns), "open sesame");
		assert.match(await fails("function", "call", "hello", "-d", "wait", "-n", ns), /^Request timeout exceeded: .* the function's 2 s\./);
	});

	test("with a Secret that does not exist, waits with the kubelet's own sentence", async (t) => {
		const ns = await namespace(t);
		const file = write("waits.js", "exports.handler = () => 1;\n");
		const sentence = await fails(
			...["function", "deploy", "hello", "-f", file, "-r", nodejs],
			...["--secrets", "nope", "-n", ns, "--wait-timeout", "30"],
		);
		assert.match(sentence, /is not ready after 30 s\. .*secret "nope" not found/);
	});
}

const WHEEL = {
	"/thing-1.0-py3-none-any.whl": zip({
		"thing.py": 'NAME = "a thing"\n',
		"thing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
		"thing-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		"thing-1.0.dist-info/RECORD": ["thing.py", "METADATA", "WHEEL", "RECORD"]
			.map((name) => `${name === "thing.py" ? "" : "thing-1.0.dist-info/"}${name},,\n`)
			.join(""),
	}),
};

/** Serves files over HTTP at an address of this machine. Returns the server's URL. */
async function serve(owner: Owner, host: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
	const server = createServer(({ url = "" }, response) => {
		const file = files[url];
		response.writeHead(file === undefined ? 404 : 200, {
			"Content-Type": typeof file === "string" ? "text/html" : "application/octet-stream",
		});
		response.end(file);
	}).listen(0, host);
	owner.after(() => {
		server.closeAllConnections();
		server.close();
	});
	await once(server, "listening");
	return `http://${host}:${(server.address() as AddressInfo).port}`;
}
