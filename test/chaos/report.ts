// Runs seeds of a language, and says what broke.
import type { Finding } from "./judge.ts";
import { KINDS } from "./judge.ts";
import type { Subject } from "./languages.ts";
import { planOf } from "./plan.ts";
import { type Outcome, run } from "./run.ts";

export interface Seeded extends Outcome {
	readonly seed: number;
	readonly ms: number;
}

export async function runSeed(subject: Subject, seed: number): Promise<Seeded> {
	const started = performance.now();
	return { seed, ...(await run(subject, planOf(seed))), ms: performance.now() - started };
}

/** Returns the number of findings by kind, such as "lost 0, twice 0, …". */
export function counts(findings: readonly Finding[]): string {
	return KINDS.map((kind) => `${kind} ${findings.filter((one) => one.kind === kind).length}`).join(", ");
}

/** Returns the findings of a run, and the command that repeats it. */
export function explain(id: string, { seed, findings, harms }: Seeded): string {
	const lines = findings.map(({ kind, what }) => `  ${kind}: ${what}`);
	return [...lines, `  harm: ${harms || "none"}`, `  repeat: npm run test:faults -- --language ${id} --seed ${seed} --runs 1`].join("\n");
}
