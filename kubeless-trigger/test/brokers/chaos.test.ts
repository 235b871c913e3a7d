// Consumers, the function and the broker are killed with SIGKILL while messages are delivered.
// Every execution is counted by the message's id. npm run chaos -w kubeless-trigger -- --messages
// 100000
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseArgs } from "node:util";
import { runChaos } from "./chaos-run.ts";
import { kafka, nats } from "./chaos-systems.ts";

const text = { type: "string" } as const;
const { values } = parseArgs({ options: { messages: text, kills: text, seed: text, source: text, mode: text }, strict: false });
const number = (name: "messages" | "kills" | "seed", fallback: number): number => Number(values[name] ?? fallback);
const [messages, kills, seed] = [number("messages", 3000), number("kills", 6), number("seed", 1)];

const SYSTEMS = { kafka, nats };
const chosen = (source: string, mode: string): boolean =>
	[source, undefined].includes(values.source as string) && [mode, undefined].includes(values.mode as string);

describe(`${messages} messages while consumers, the function and the broker are killed, seed ${seed}`, () => {
	for (const source of ["kafka", "nats"] as const) {
		for (const mode of ["at-most-once", "at-least-once"] as const) {
			if (!chosen(source, mode)) continue;
			// A server of JetStream that is killed forgets acknowledgements of the latest moment, and
			// delivers these messages again: at most once holds while the server lives.
			const brokerKills = source === "nats" && mode === "at-most-once" ? 0 : 1;
			const promise =
				mode === "at-most-once" ? "no message is called twice, and a kill loses no more than what was claimed" : "no message is lost";
			test(`${source}, ${mode}: ${promise}`, async (t) => {
				const system = await SYSTEMS[source](t);
				const counts = await runChaos(t, source, system, { mode, messages, kills, brokerKills, seed });
				const { executed, twice, lost, bound, consumerKills, functionKills } = counts;
				const killed = `kills: ${consumerKills} of consumers, ${functionKills} of the function, ${counts.brokerKills} of the broker`;
				t.diagnostic(`executed ${executed}, more than once ${twice}, lost ${lost.length} (at most ${bound} by the kills), ${killed}`);
				if (mode === "at-least-once") return assert.deepEqual(lost, []);
				assert.equal(twice, 0);
				assert.ok(lost.length <= bound, `${lost.length} lost: ${lost.slice(0, 20).join()}`);
			});
		}
	}
});
