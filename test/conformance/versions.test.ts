import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Manifest, readManifests } from "../../kubeless-loader/src/manifest.ts";
import { play, type Subject, versionsOf } from "../versions/subjects.ts";

// The oldest and the newest version of each language that this machine has or gets within a minute.
// workers.test.ts has the version on PATH, `npm run test:versions` has all versions.

/** What toolchain.others installs here of many versions, by blanks. */
const WANTED: Readonly<Record<string, string>> = { go: "1.21.0 1.27.0" };
/** Versions that the tests of the language run on. */
const ELSEWHERE = /^(?:nodejs |python 2\.7\.)/;

const manifests = readManifests(join(import.meta.dirname, "../../runtimes")).filter(
	({ id, speaks, toolchain }) => speaks === "wire" && toolchain?.others && !ELSEWHERE.test(`${id} `),
);

/** Returns the oldest and the newest version, without the one on PATH. */
function ends(manifest: Manifest): Subject[] {
	const wanted = WANTED[manifest.id];
	const subjects = versionsOf(manifest, { wanted });
	const missing = wanted?.split(" ").filter((version) => !subjects.some((subject) => subject.version === version)) ?? [];
	if (process.env["CI"]) assert.deepEqual(missing, [], `${manifest.name}: versions that were not installed`);
	const sorted = subjects.toSorted((one, other) => one.version.localeCompare(other.version, "en", { numeric: true }));
	const candidates = new Set([sorted.at(0), sorted.at(-1)].flatMap((subject) => subject ?? []));
	return [...candidates].filter((subject) => subject !== subjects[0] && !ELSEWHERE.test(`${manifest.id} ${subject.version}`));
}

for (const manifest of manifests) {
	describe(`${manifest.id}: the oldest and the newest version`, () => {
		for (const subject of ends(manifest)) {
			test(`the worker keeps the wire's rules on ${manifest.name} ${subject.version}`, async () => {
				const { code, output } = await play(subject);
				assert.equal(code, 0, output);
			});
		}
	});
}
