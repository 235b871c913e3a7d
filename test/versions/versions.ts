// npm run test:versions: runs the vectors on every version of every language that this machine has
// or can install, and checks the workers for versions that cannot be had. Takes minutes.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Manifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { checks } from "./checks.ts";
import { type Result, record, table, today } from "./results.ts";
import { CACHE, play, type Subject, versionsOf } from "./subjects.ts";

const USAGE = `Usage: npm run test:versions -- [options] [FOLDER …]

Runs the wire's vectors with every worker on every version of its language: on PATH, in each FOLDER of executables, and in
the folders that toolchain.others of a manifest prints. Then checks the syntax of workers for versions that cannot be had.

  --debian SUITE    also with the versions of this Debian suite, such as trixie, in a chroot that is made once. May be
                    repeated. Needs root and mmdebstrap.
  --only A,B        only these runtimes
  --record          write the results into test/versions/results.json, of which docs/support.md is made
  --from WHERE      the origin of the versions on PATH, for the table
  --help            this text
`;

const ROOT = join(import.meta.dirname, "../..");
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		debian: { type: "string", multiple: true },
		only: { type: "string" },
		record: { type: "boolean" },
		from: { type: "string" },
		help: { type: "boolean", short: "h" },
	},
});
if (values.help) process.stdout.write(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
	const only = values.only?.split(",");
	const manifests = readManifests(join(ROOT, "runtimes")).filter(({ id, speaks }) => speaks === "wire" && (only?.includes(id) ?? true));
	const results: Result[] = [];
	const next = manifests.flatMap(found).values();
	const runner = async (): Promise<void> => {
		for (const subject of next) finish(await run(subject));
	};
	const finish = (result: Result): void => {
		results.push(result);
		if (values.record) record([result]);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, runner));
	// In a chroot the checks would only be repeated.
	if (values.from === undefined) for (const { id } of manifests) for (const result of checks(id, CACHE)) finish(result);
	console.log(`\n${table(results)}`);
	const suites = (values.debian ?? []).map(inDebian);
	return [...results.map(({ ok }) => ok), ...suites].every(Boolean) ? 0 : 1;
}

async function run(subject: Subject): Promise<Result> {
	const { manifest, version, by } = subject;
	const started = performance.now();
	const { code, output, mandatory, optional } = await play(subject);
	const seconds = ((performance.now() - started) / 1000).toFixed(0);
	console.log(`${code === 0 ? "ok    " : "BROKEN"} ${manifest.name} ${version}: kept ${mandatory} + ${optional}  (${seconds} s)`);
	if (code !== 0) console.log(output.trimEnd().replace(/^/gm, "       "));
	return { runtime: manifest.id, version, level: "run", by, mandatory, optional, ok: code === 0, date: today() };
}

function found(manifest: Manifest): Subject[] {
	const subjects = versionsOf(manifest, { folders: positionals, from: values.from });
	if (subjects.length === 0) console.log(`MISSING: ${manifest.name}: ${manifest.toolchain?.check.join(" ")} fails`);
	return subjects;
}

/** Runs this program in a chroot of that Debian suite. Returns whether nothing is broken. */
function inDebian(suite: string): boolean {
	const manifests = readManifests(join(ROOT, "runtimes"));
	const packages = new Set(manifests.flatMap(({ toolchain }) => [...(toolchain?.debian ?? []), ...(toolchain?.others?.debian ?? [])]));
	const script = join(import.meta.dirname, "debian.sh");
	const place = join(CACHE, suite);
	const options = [...(values.only === undefined ? [] : ["--only", values.only]), ...(values.record ? ["--record"] : [])];
	const again = [process.execPath, import.meta.filename, "--from", `Debian ${suite}`, ...options];
	console.log(`\nDebian ${suite}${existsSync(place) && readdirSync(place).length > 0 ? "" : ", which takes some minutes to install"}`);
	const env = { ...process.env, TMPDIR: tmpdir() };
	const { status } = spawnSync("sh", [script, suite, place, [...packages].join(" "), ROOT, ...again], { env, stdio: "inherit" });
	return status === 0;
}
