import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import test from "node:test";
import { ask } from "../support/ask.ts";
import { fake, startFake } from "../support/fake.ts";
import { Figures } from "../support/figures.ts";
import { folder, Loader } from "../support/loader.ts";
import { poll } from "../support/poll.ts";

async function freePort(): Promise<number> {
	const holder = net.createServer().listen(0, "::");
	await new Promise((resolve) => holder.once("listening", resolve));
	const { port } = holder.address() as net.AddressInfo;
	await new Promise((resolve) => holder.close(resolve));
	return port;
}

/** Resolves with the status of the first response, after the server has started to listen. */
async function first(port: number, path: string): Promise<number> {
	for (;;) {
		try {
			return (await ask(port, { path })).status;
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	}
}

test("while the function loads, /healthz is 200, /readyz is 503, and calls wait", async (t) => {
	const port = await freePort();
	const source = `import { existsSync } from "node:fs";
while (!existsSync("load")) await new Promise((resolve) => setTimeout(resolve, 20));
export const h = () => "loaded";
`;
	const env = { FUNC_PORT: String(port), MOD_NAME: "f", FUNC_HANDLER: "h", FUNC_RUNTIME: "nodejs" };
	const loader = new Loader(t, { files: { "f.mjs": source }, env });
	assert.equal(await first(port, "/healthz"), 200);
	assert.equal((await ask(port, { path: "/readyz" })).status, 503);
	const early = ask(port, { path: "/" });
	writeFileSync(join(loader.volume, "load"), "");
	await loader.serving();
	assert.equal((await early).text, "loaded");
	assert.equal((await ask(port, { path: "/readyz" })).status, 200);
});

test("no call is sent to a worker before it is ready, and all early calls are served", async (t) => {
	const port = await freePort();
	const journal = join(folder(t), "journal");
	const go = join(folder(t), "go");
	const loader = new Loader(t, fake(t, { FAKE_START: "late", FAKE_GO: go, FAKE_JOURNAL: journal, FUNC_PORT: String(port) }));
	assert.equal(await first(port, "/readyz"), 503);
	const early = Promise.all(["a", "b", "c"].map((body) => ask(port, { body })));
	await poll(
		async () => new Figures((await ask(port, { path: "/metrics" })).text).inFlight === 3 || undefined,
		() => "the early calls did not arrive",
	);
	writeFileSync(go, "");
	assert.deepEqual(
		(await early).map(({ text }) => text),
		["a", "b", "c"],
	);
	assert.equal(readFileSync(journal, "utf8").split("\n")[0], "ready");
	await loader.serving();
});

test("between two workers /readyz is 503, /healthz is 200, and calls wait", async (t) => {
	const loader = await startFake(t);
	// After the second exit in a row the loader waits before the next start.
	await loader.ask("/exit7");
	await loader.ask("/exit7");
	assert.equal((await loader.ask("/readyz")).status, 503);
	assert.equal((await loader.ask("/healthz")).status, 200);
	assert.equal((await loader.ask({ body: "waited" })).text, "waited");
	assert.equal((await loader.ask("/readyz")).status, 200);
});

test("after too many failed starts in a row, /healthz is 503, so that Kubernetes restarts the container", async (t) => {
	// The worker starts once, and never again.
	const source =
		"import { existsSync, writeFileSync } from 'node:fs'; if (existsSync('gone')) process.exit(1); writeFileSync('gone', ''); export const h = () => process.exit(1);";
	const own = { MOD_NAME: "f", FUNC_RUNTIME: "nodejs", FUNC_TIMEOUT: "1" };
	const loader = new Loader(t, { files: { "f.mjs": source }, env: own });
	await loader.serving();
	assert.ok((await loader.ask()).status >= 500);
	assert.equal((await loader.ask("/healthz")).status, 200);
	for (;;) {
		const { status } = await loader.ask("/healthz");
		if (status === 503) return;
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
});
