// npm run test:faults: runs seeds of one language or all, prints what broke, and exits with 1 if
// anything did.
import { parseArgs } from "node:util";
import type { Finding } from "./judge.ts";
import { type Language, languages } from "./languages.ts";
import { counts, explain, runSeed } from "./report.ts";

const USAGE = `Usage: npm run test:faults -- [--language ID] [--seed N] [--runs N] [--log]

  --language ID  only this language (default: all that are installed)
  --seed N       the first seed (default: 1); the plan of a run follows from its seed alone
  --runs N       how many seeds (default: 10)
  --log          print the loader's log of failed runs
`;

const { values } = parseArgs({
	options: {
		language: { type: "string" },
		seed: { type: "string", default: "1" },
		runs: { type: "string", default: "10" },
		log: { type: "boolean" },
		help: { type: "boolean", short: "h" },
	},
});
if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();
process.exit();

async function main(): Promise<number> {
	const all = languages();
	const chosen = values.language === undefined ? all : all.filter(({ id }) => id === values.language);
	if (chosen.length === 0) {
		console.error(`Unknown language "${values.language}". The languages are ${all.map(({ id }) => id).join(", ")}.`);
		return 2;
	}
	let failed = false;
	for (const language of chosen) failed = (await runLanguage(language)) || failed;
	return failed ? 1 : 0;
}

/** Returns true if a promise was broken. */
async function runLanguage({ id, missing, prepare }: Language): Promise<boolean> {
	const reason = missing();
	if (reason !== undefined) {
		console.log(`SKIPPED: ${id}. ${reason}`);
		return false;
	}
	const clears: (() => void | Promise<void>)[] = [];
	const subject = prepare({ after: (clear) => void clears.push(clear) });
	const findings: Finding[] = [];
	const skipped = new Set<string>();
	const calls: Record<string, number> = {};
	const runs = Number(values.runs);
	for (let seed = Number(values.seed); seed < Number(values.seed) + runs; seed++) {
		const seeded = await runSeed(subject, seed);
		for (const [name, count] of Object.entries(seeded.calls)) calls[name] = (calls[name] ?? 0) + count;
		findings.push(...seeded.findings);
		for (const reason of seeded.skipped) skipped.add(reason);
		console.log(`${id} seed ${seed}: ${list(seeded.calls)} in ${Math.round(seeded.ms)} ms: ${counts(seeded.findings)}`);
		if (seeded.findings.length > 0) console.log(explain(id, seeded));
		if (seeded.findings.length > 0 && values.log) console.log(seeded.log);
	}
	for (const clear of clears.reverse()) await clear();
	for (const reason of skipped) console.log(`SKIPPED: ${id}: ${reason}`);
	console.log(`${id}: ${runs} runs, ${list(calls)}: ${counts(findings)}`);
	return findings.length > 0;
}

function list(calls: Readonly<Record<string, number>>): string {
	const sum = Object.values(calls).reduce((total, count) => total + count, 0);
	return `${sum} calls (${Object.entries(calls)
		.map(([name, count]) => `${name}: ${count}`)
		.join(", ")})`;
}
