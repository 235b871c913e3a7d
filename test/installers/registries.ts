// Every language's installer against a registry that is like a company's own: behind a password, with a certificate of its own
// authority, or only to be reached through a proxy. The same is asked of all of them.
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
import { AUTHORITY, BASIC, INSIDE, PASSWORD, Registry, startProxy } from "./registry.ts";
import { assertCycloneDx } from "./schema.ts";
import { BULK, type Tool } from "./tool.ts";

/** The tests of one language; where its tools are missing they are skipped, by name. */
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
	/** A pod whose tool knows where the registry is, who it is and whom to trust. */
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
	/** Nothing that was secret is in what was said. */
	function saysNoSecret({ output, log }: Ended): void {
		for (const text of [output, log]) for (const word of [PASSWORD, BASIC]) assert.ok(!text.includes(word), text);
	}
	function failed(ended: Ended, one: Pod, before: string[], cure: RegExp): void {
		assert.notEqual(ended.code, 0, ended.output);
		assert.notEqual(ended.log, "", `${ended.code}, ${ended.output}`);
		assert.match(ended.log.split("\n")[0] as string, cure, ended.log);
		assert.ok(ended.log.split("\n").length > 2, "the tool's own words are there");
		assert.deepEqual([one.listing, ended.left, one.has(".kubeless")], [before, [], false], "nothing is left");
		saysNoSecret(ended);
	}

	test("has the variables and the secrets that this takes in its runtime's README", () => {
		const page = readFileSync(join(import.meta.dirname, "../../runtimes", tool.id, "README.md"), "utf8");
		const keys = Object.keys(tool.secrets(INSIDE)).map((path) => path.replace(/.*\//, ""));
		for (const name of [...keys, ...Object.keys(tool.env?.(INSIDE) ?? {})]) assert.ok(page.includes(name), `${name} is missing`);
	});

	test("has a package from a registry with a password and an authority of its own, and the runtime finds it", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host);
		const ended = await one.run(tool.phase);
		assert.equal(ended.code, 0, ended.output);
		saysNoSecret(ended);
		assert.deepEqual(ended.left, []);
		// Nor is one in what is served.
		for (const name of [...one.listing, ".kubeless/bom.cdx.json"].filter((path) => statSync(join(one.volume, path)).isFile()))
			for (const word of [PASSWORD, BASIC]) assert.ok(!one.read(name).includes(word), name);
		assertCycloneDx(one.bom());
		assert.deepEqual(
			one
				.bom()
				.components.flatMap(({ purl = "" }) => (purl.startsWith(tool.purl) ? [purl.slice(tool.purl.length).replace("@v", "@")] : [])),
			["@1.1.0"],
		);
		assert.equal(await version(t, one), "1.1.0");
	});

	test("has what the lock says, though there is something newer", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { locked: true });
		const { code, output } = await one.run(tool.phase);
		assert.equal(code, 0, output);
		assert.equal(await version(t, one), "1.0.0");
	});

	test("refuses a package that is not the one of the lock, and leaves nothing behind", async (t) => {
		const registry = await newRegistry(t);
		const other = tool.packages(t, BULK.toUpperCase())("")[tool.file] as Buffer;
		registry.change = (path, body) => (path === tool.file ? other : body);
		const one = pod(t, registry.host, { locked: true });
		const before = one.listing;
		failed(await one.run(tool.phase), one, before, /(is not|differs from) (the one|what its)/);
	});

	test("without the password says what is missing", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { secrets: {} });
		const before = one.listing;
		failed(await one.run(tool.phase), one, before, /does not let this installer in/);
		assert.ok(registry.refused > 0);
	});

	test("without the authority says whom it does not trust", async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { secrets: { ...tool.secrets(registry.host), "authority/ca.crt": "" } });
		const before = one.listing;
		failed(await one.run(tool.phase), one, before, /certificate is not trusted/);
		assert.deepEqual(registry.asked, []);
	});

	test("says which package the registry does not have", async (t) => {
		const registry = await newRegistry(t);
		const files = tool.files(`https://${registry.host}`);
		const deps = String(files[tool.depsFile]).replaceAll("thing", "thong");
		const one = pod(t, registry.host, { files: { ...files, [tool.depsFile]: deps } });
		const before = one.listing;
		failed(await one.run(tool.phase), one, before, /not (in|to be had)/);
	});

	test("asks nothing of the registry for the second pod, which has the cache", async (t) => {
		const registry = await newRegistry(t);
		const cache = { env: { KUBELESS_CACHE: folderFor(t) }, locked: true };
		// What a tool keeps for itself counts into the key: all pods of a function have the same.
		const same = common(t);
		const first = pod(t, registry.host, { ...cache, env: { ...cache.env, ...same } });
		assert.equal((await first.run(tool.phase)).code, 0);
		assert.ok(registry.asked.length > 0);
		registry.asked.length = 0;
		const second = pod(t, registry.host, { ...cache, env: { ...cache.env, ...same } });
		const { code, output } = await second.run(tool.phase);
		assert.deepEqual([code, registry.asked], [0, []], output);
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
		saysNoSecret(ended);
		assert.ok(proxy.asked.length > 0 && registry.asked.length > 0);
		assert.equal(await version(t, one), "1.1.0");
	});

	if (tool.kubeless) {
		const { command, env } = tool.kubeless;
		test(`is not needed: ${command} leaves what the runtime finds`, async (t) => {
			const registry = await newRegistry(t);
			const authority = join(folderFor(t, { "ca.crt": AUTHORITY }), "ca.crt");
			const trusts = { SSL_CERT_FILE: authority, PIP_CERT: authority };
			const one = pod(t, registry.host, { command, env: { ...trusts, ...env(registry.host) } });
			const { code, output } = await one.run("install");
			assert.equal(code, 0, output);
			assert.equal(await version(t, one), "1.1.0");
		});
	}

	test("that was killed midway is whole the next time", async (t) => {
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
			assert.ok(Date.now() - began < 60_000, started.said());
			await after(20);
		}
		started.kill();
		await started.ended;
		registry.change = (_, body) => body;
		const { code, output } = await one.run(tool.phase);
		assert.equal(code, 0, output);
		assert.deepEqual(one.listing, whole.listing);
	});

	test("on a full disk says so, and leaves nothing behind", { skip: noSmallDisk() }, async (t) => {
		const registry = await newRegistry(t);
		const one = pod(t, registry.host, { diskKiB: 256 });
		const before = one.listing;
		failed(await one.run(tool.phase), one, before, /the disk is full/);
	});
}

/** Why there can be no volume of a few KiB. */
function noSmallDisk(): string | false {
	const tries = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]).status === 0;
	return !tries && "only root may mount a small disk";
}
