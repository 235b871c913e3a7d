import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ask } from "../../support/ask.ts";
import { against } from "../against.ts";
import { temporaryFolder } from "../children.ts";
import { contest, type Sample, withServers } from "../contest.ts";
import type { Figure } from "../figure.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { BARE_SERVER, loaderSpec, type Server } from "../servers.ts";

const CONNECTIONS = 32;
const SIZE = 64 * 1024;
const TYPE = "application/json";

export const json: Scenario = {
	name: "json",
	title: `POST of ${SIZE / 1024} KiB JSON, echoed, ${CONNECTIONS} connections`,
	async run(bench): Promise<Figure[]> {
		const body = records();
		const file = join(temporaryFolder(), "records.json");
		writeFileSync(file, body);
		// A function gets the parsed event, and its result is written as JSON. The comparable server does
		// the same; the server that only passes on the bytes shows the cost of parsing.
		const parsing = { spec: BARE_SERVER, path: "/json" };
		const passing = { spec: { ...BARE_SERVER, name: "bare, bytes" }, path: "/" };
		const loaders = await trusted(bench, body);
		const samples = await contest(bench, [parsing, passing, ...loaders], { connections: CONNECTIONS, body: { file, type: TYPE } });
		const cpu = { unit: "µs", value: (sample: Sample) => sample.cpu, as: "ratio" } as const;
		const rate = { unit: "calls/s", value: (sample: Sample) => sample.rate, as: "ratio" } as const;
		return [
			...against(samples, parsing, loaders, { what: "CPU per call, bare parses too", ...cpu, target: "json.cpu" }),
			...against(samples, passing, loaders, { what: "CPU per call, bare passes bytes", ...cpu }),
			...against(samples, parsing, loaders, { what: "calls per second, bare parses too", ...rate }),
		];
	},
};

/** Returns the loaders whose function echoes correctly. */
async function trusted(bench: Bench, body: Buffer) {
	const loaders = bench.runtimes.flatMap(({ id, conformance }) => (conformance ? [{ spec: loaderSpec(id, conformance, "echoes") }] : []));
	return withServers(bench, loaders, async (servers) => {
		const good: typeof loaders = [];
		for (const [loader, server] of servers) {
			await demandEcho(server, body).then(
				() => good.push(loader),
				(error) => bench.note(`${server.name}: ${(error as Error).message}`),
			);
		}
		return good;
	});
}

/** @throws with the wrong response: a function that does less than the others would be faster */
async function demandEcho({ port }: Server, body: Buffer): Promise<void> {
	const { status, text } = await ask(port, { method: "POST", headers: { "Content-Type": TYPE }, body });
	// Languages write JSON with different white space.
	const same = status === 200 && isDeepStrictEqual(JSON.parse(text), JSON.parse(body.toString()));
	if (!same) throw new Error(`it answers ${status} and ${text.length} characters to an echo of ${body.length} bytes`);
}

/** Returns a realistic list of about this size. */
function records(): Buffer {
	const list: unknown[] = [];
	for (let id = 1, length = 2; length < SIZE; id++) {
		const record = { id, name: `record ${id}`, tags: ["new", "paid"], price: id * 1.25, shipped: id % 2 === 0, note: null };
		list.push(record);
		length += JSON.stringify(record).length + 1;
	}
	return Buffer.from(JSON.stringify(list));
}
