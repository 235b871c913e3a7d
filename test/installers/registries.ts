// Runs every language's installer with a private registry: with a password, with a certificate of a
// private authority, or behind a proxy. The tests are the same for all languages.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test, { before } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { startLoader } from "../support/loader.ts";
import { describeWith } from "../support/needs.ts";
import { type Owner, suiteOwner } from "../support/owner.ts";
import { type Ended, type Files, folderFor, Pod, type PodOptions, works } from "./pod.ts";
import { AUTHORITY, BASIC, INSIDE, PASSWORD, Registry, startProxy, USER, WRONG } from "./registry.ts";
import { assertCycloneDx } from "./schema.ts";
import { BULK, type Tool } from "./tool.ts";

/**
 * Registers the tests of one language. They are skipped, with a reason, if its tools are missing.
 */
export function installs(tool: Tool): void {
	const { toolchain } = JSON.parse(readFileSync(join(import.meta.dirname, "../../runtimes", tool.id, "runtime.json"), "utf8"));
	const missing = !works(toolchain.check) && `${toolchain.check.join(" ")} fails`;
	describeWith(`${tool.id}: an installer`, missing, () => testsOf(tool));
}

function testsOf(tool: Tool): void {
	const owner = suiteOwner();
	let packages: (base: string) => Files;
	let common: (owner: Owner) => Record<string, string> = () => ({});

	before(async () => {
		packages = tool.packages(owner, BULK);
		common = (await tool.prepare?.(owner)) ?? common;
	});

	const newRegistry = (t: Owner) => new Registry(t, packages).listening();
	/**
	 * Returns a pod whose tool has the registry's address, the password and the certificate authority.
	 */
	function pod(t: Owner, host: string, more: Partial<PodOptions> & { locked?: boolean; secrets?: Files } = {}): Pod {
		const base = `https://${host}`;
		const { locked, secrets = tool.secrets(host), ...options } = more;
		return new Pod(t, {
			runtime: tool.id,
			depsFile: tool.depsFile,
			handler: tool.served.FUNC_HANDLER,
			files: locked ? tool.locked(base, packages(base)) : tool.files(base),
			...options,
			secrets: { "authority/ca.crt": AUTHORITY, ...secrets },
			env: { ...common(t), ...tool.hasty, ...tool.env?.(base), ...options.env },
		});
	}
	async function version(t: Owner, one: Pod): Promise<string> {
		const loader = await startLoader(t, { volume: one.volume, env: { FUNC_RUNTIME: tool.id, ...tool.served } });
		return (await loader.ask()).text;
	}
	/** Asserts that no secret is in the output or in the termination log. */
	function assertNoSecret({ output, log }: Ended): void {
		for (const text of [output, log]) for (const secret of [PASSWORD, BASIC]) assert.ok(!text.includes(secret), text);
	}
	/** Asserts that neither part of the wrong password is printed, in any encoding. */
	function assertNoWrongPassword({ output, log }: Ended): void {
		const encoded = [WRONG, `${USER}:${WRONG}`, `${USER}:${encodeURIComponent(WRONG)}`].map((text) => Buffer.from(text).toString("base64"));
		// The last characters depend on what follows.
		for (const part of ["Zq8left", "Zq9right", ...encoded.map((text) => text.slice(0, -4))])
			for (const text of [output, log]) assert.ok(!text.includes(part), text);
	}
	function assertFailed(ended: Ended, one: Pod, before: string[], hint: RegExp): void {
		assert.notEqual(ended.code, 0, ended.output);
		assert.notEqual(ended.log, "", `${ended.code}, ${ended.output}`);
		assert.match(ended.log.split("\n")[0] as string, hint, ended.log);
		assert.ok(ended.log.split("\n").length > 2, "the tool's output is in the log");
		assert.deepEqual([one.listing, ended.left, one.has(".kubeless")], [before, [], false], "nothing is left");
		assertNoSecret(ended);
	}

	test("has its variables and secrets in the README of the runtime", () => {
		const page = readFileSync(join(import.meta.dirname, "../../runtimes", tool.id, "README.md"), "utf8");
		const keys = Object.keys(tool.secrets(INSIDE)).map((path) => path.replace(/.*\//, ""));
		for (const name of [...keys, ...Object.keys(tool.env?.(INSIDE) ?? {})]) assert.ok(page.includes(name), `${name} is missing`);
	});

	test("installs a package from a registry with a password and a private certificate authority, and the function finds it", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host);
		const ended = await one.run(tool.phase);
		assert.equal(ended.code, 0, ended.output);
		assertNoSecret(ended);
		assert.deepEqual(ended.left, []);
		// No secret is in the served files.
		for (const name of [...one.listing, ".kubeless/bom.cdx.json"].filter((path) => statSync(join(one.volume, path)).isFile()))
			for (const secret of [PASSWORD, BASIC]) assert.ok(!one.read(name).includes(secret), name);
		assertCycloneDx(one.bom());
		assert.deepEqual(
			one
				.bom()
				.components.flatMap(({ purl = "" }) => (purl.startsWith(tool.purl) ? [purl.slice(tool.purl.length).replace("@v", "@")] : [])),
			["@1.1.0"],
		);
		assert.equal(await version(t, one), "1.1.0");
	});

	test("installs the version in the lock file, not a newer one", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { locked: true });
		const { code, output } = await one.run(tool.phase);
		assert.equal(code, 0, output);
		assert.equal(await version(t, one), "1.0.0");
	});

	test("refuses a package whose hash is not the one in the lock file, and leaves no files", async (t) => {
		const registry = await newRegistry(t);
		const other = tool.packages(t, BULK.toUpperCase())("")[tool.file] as Buffer;
		registry.change = (path, body) => (path === tool.file ? other : body);
		const one = pod(t, registry.host, { locked: true });
		const before = one.listing;
		assertFailed(
			await one.run(tool.phase),
			one,
			before,
			/(is not|differs from) (the one|the checksum|what its)|does not match its checksum/,
		);
	});

	test("reports a missing password", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { secrets: {} });
		const before = one.listing;
		assertFailed(await one.run(tool.phase), one, before, /refuses this installer/);
		assert.ok(registry.refused > 0);
	});

	test("reports a wrong password, and prints it in no encoding, however much the tool prints", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { secrets: tool.secrets(registry.host, WRONG), env: { ...tool.verbose } });
		const ended = await one.run(tool.phase);
		assert.notEqual(ended.code, 0, ended.output);
		assert.ok(registry.refused > 0, ended.output);
		assertNoWrongPassword(ended);
	});

	test("prints the wrong password of a registry's URL in no encoding", async (t) => {
		const registry = await newRegistry(t);
		const base = `https://${USER}:${encodeURIComponent(WRONG)}@${registry.host}`;
		const env = { ...tool.env?.(base), ...tool.verbose };
		const ended = await pod(t, registry.host, { files: tool.files(base), secrets: {}, env }).run(tool.phase);
		assert.notEqual(ended.code, 0, ended.output);
		assertNoWrongPassword(ended);
	});

	test("prints the wrong password of a proxy in no encoding", async (t) => {
		const registry = await newRegistry(t);
		const proxy = await startProxy(t, registry, WRONG);
		const one = pod(t, INSIDE, { env: { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, ...tool.verbose } });
		const ended = await one.run(tool.phase);
		assert.notEqual(ended.code, 0, ended.output);
		assertNoWrongPassword(ended);
	});

	test("reports a certificate authority that it does not trust", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { secrets: { ...tool.secrets(registry.host), "authority/ca.crt": "" } });
		const before = one.listing;
		assertFailed(await one.run(tool.phase), one, before, /certificate is not trusted/);
		assert.deepEqual(registry.requested, []);
	});

	test("reports a package that the registry does not have", async (t) => {
		const registry = await newRegistry(t);
		const files = tool.files(`https://${registry.host}`);
		const deps = String(files[tool.depsFile]).replaceAll("thing", "thong");
		const one = pod(t, registry.host, { files: { ...files, [tool.depsFile]: deps } });
		const before = one.listing;
		assertFailed(await one.run(tool.phase), one, before, /not (in|available)/);
	});

	test("sends no request to the registry if the cache has the result", async (t) => {
		const registry = await newRegistry(t);
		const cache = { env: { KUBELESS_CACHE: folderFor(t) }, locked: true };
		// The tool's own variables are part of the cache key, so both pods must have the same.
		const same = common(t);
		const first = pod(t, registry.host, { ...cache, env: { ...cache.env, ...same } });
		assert.equal((await first.run(tool.phase)).code, 0);
		assert.ok(registry.requested.length > 0);
		registry.requested.length = 0;
		const second = pod(t, registry.host, { ...cache, env: { ...cache.env, ...same } });
		const { code, output } = await second.run(tool.phase);
		assert.deepEqual([code, registry.requested], [0, []], output);
		assert.match(output, /^Taken from the cache: /m);
		assert.deepEqual(second.listing, first.listing);
		assert.equal(await version(t, second), "1.0.0");
	});

	test("reaches a registry through a proxy with a password", async (t) => {
		const registry = await newRegistry(t);
		const proxy = await startProxy(t, registry);
		const one = pod(t, INSIDE, { env: { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url } });
		const ended = await one.run(tool.phase);
		assert.equal(ended.code, 0, ended.output);
		assertNoSecret(ended);
		assert.ok(proxy.requested.length > 0 && registry.requested.length > 0);
		assert.equal(await version(t, one), "1.1.0");
	});

	if (tool.kubeless) {
		const { command, env } = tool.kubeless;
		test(`is optional: the function finds the packages that ${command} installs`, async (t) => {
			const registry = await newRegistry(t);
			const authority = join(folderFor(t, { "ca.crt": AUTHORITY }), "ca.crt");
			const trusts = { SSL_CERT_FILE: authority, PIP_CERT: authority };
			const one = pod(t, registry.host, { command, env: { ...trusts, ...env(registry.host) } });
			const { code, output } = await one.run("install");
			assert.equal(code, 0, output);
			assert.equal(await version(t, one), "1.1.0");
		});
	}

	test("that was killed gives a complete result when it runs again", async (t) => {
		const registry = await newRegistry(t);
		const whole = pod(t, registry.host, { locked: true });
		assert.equal((await whole.run(tool.phase)).code, 0);
		let reached = false;
		registry.change = (path, body) => {
			if (path !== tool.file) return body;
			reached = true;
			return undefined;
		};
		const one = pod(t, registry.host, { locked: true });
		const started = one.start(tool.phase);
		for (const began = Date.now(); !reached; ) {
			assert.ok(Date.now() - began < 240_000, started.output());
			await after(20);
		}
		started.kill();
		await started.ended;
		registry.change = (_, body) => body;
		const { code, output } = await one.run(tool.phase);
		assert.equal(code, 0, output);
		assert.deepEqual(one.listing, whole.listing);
	});

	test("reports a full disk, and leaves no files", { skip: noSmallDisk() }, async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { diskKiB: 256 });
		const before = one.listing;
		assertFailed(await one.run(tool.phase), one, before, /the disk is full/);
	});
}

/** Returns why a volume of a few KiB cannot be made, or false. */
function noSmallDisk(): string | false {
	const tries = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]).status === 0;
	return !tries && "only root may mount a small disk";
}
