// npm run bench:images: the time from `docker run` to the first 200, for hello world in every
// language, compared with a minimal server in Node.js's own image. Medians of interleaved rounds;
// --rounds N sets their number (5).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { text } from "../platform/manifests.ts";
import { ask } from "../support/ask.ts";
import { must } from "./docker.ts";
import { Examples } from "./examples.ts";
import { imageOf, standIns, versions } from "./images.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const clears: (() => void | Promise<void>)[] = [];
const owner = { after: (clear: () => void | Promise<void>) => void clears.push(clear) };

const { NODE_IMAGE } = JSON.parse(text("docker-bake.json")).variable;
const contestants = new Map<string, readonly string[]>();
contestants.set("bare node", [
	NODE_IMAGE.default,
	"node",
	"-e",
	"require('http').createServer((_, response) => response.end('hello world')).listen(8080, () => console.log('serving'))",
]);
for (const version of versions) {
	const volume = await (await Examples.of(owner, version)).hello(owner);
	contestants.set(version.target, ["-v", `${volume}:/kubeless:ro`, imageOf(version.id, version.version)]);
}

const times = new Map([...contestants.keys()].map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds; round++) {
	for (const [name, words] of contestants) times.get(name)?.push(await start(words));
}
for (const clear of clears) await clear();

const median = (of: readonly number[]): number => [...of].sort((one, other) => one - other)[of.length >> 1] as number;
const bare = median(times.get("bare node") ?? []);
console.log(`From docker run to the first 200, median of ${rounds}${standIns ? ", on stand-ins for the public images" : ""}:`);
for (const [name, of] of times) {
	const ms = median(of);
	console.log(
		`${name.padEnd(16)} ${ms.toFixed(0).padStart(5)} ms ${name === "bare node" ? "" : `${ms >= bare ? "+" : ""}${(ms - bare).toFixed(0)}`}`,
	);
}

async function start(words: readonly string[]): Promise<number> {
	const port = await freePort();
	const name = `kubeless-start-${process.pid}`;
	const began = performance.now();
	const running = spawn("docker", ["run", "--rm", "--name", name, "-p", `127.0.0.1:${port}:8080`, ...words], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	// Waits for the log line `serving`: a connection before the container's network is up would be
	// retried only after a second.
	await new Promise<void>((resolve, reject) => {
		running.stdout.setEncoding("utf8").on("data", (output: string) => output.includes("serving") && resolve());
		running.on("close", (code) => reject(new Error(`${words.join(" ")} ended with ${code}`)));
	});
	const { status } = await ask(port, {});
	const took = performance.now() - began;
	assert.equal(status, 200, name);
	await must("rm", "--force", name);
	return took;
}

function freePort(): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address() as { port: number };
			server.close(() => resolve(port));
		});
	});
}
