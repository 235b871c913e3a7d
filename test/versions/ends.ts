import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readManifests } from "../../kubeless-loader/src/manifest.ts";
import { play, type Subject, versionsOf } from "./subjects.ts";

export interface Ends {
	/** what toolchain.others of the manifest installs here of many versions, by blanks */
	readonly wanted?: string;
	/** versions that other tests of the language run on */
	readonly elsewhere?: RegExp;
}

/**
 * Registers tests of a language's oldest and newest version that this machine has or gets within a
 * minute. workers.test.ts has the version on PATH, `npm run test:versions` has all versions.
 */
export function testEnds(id: string, ends: Ends = {}): void {
	describe(`${id}: the oldest and the newest version`, () => {
		for (const subject of subjectsOf(id, ends)) {
			test(`the worker keeps the wire's rules on ${subject.manifest.name} ${subject.version}`, async () => {
				const { code, output } = await play(subject);
				assert.equal(code, 0, output);
			});
		}
	});
}

/** Returns the oldest and the newest version, without the one on PATH. */
function subjectsOf(id: string, { wanted, elsewhere }: Ends): Subject[] {
	const manifest = readManifests(join(import.meta.dirname, "../../runtimes")).find((one) => one.id === id);
	assert.ok(manifest, `runtimes/ has no ${id}`);
	const subjects = versionsOf(manifest, { wanted });
	const missing = wanted?.split(" ").filter((version) => !subjects.some((subject) => subject.version === version)) ?? [];
	if (process.env["CI"]) assert.deepEqual(missing, [], `${manifest.name}: versions that were not installed`);
	const sorted = subjects.toSorted((one, other) => one.version.localeCompare(other.version, "en", { numeric: true }));
	const candidates = new Set([sorted.at(0), sorted.at(-1)].flatMap((subject) => subject ?? []));
	return [...candidates].filter((subject) => subject !== subjects[0] && !elsewhere?.test(subject.version));
}
