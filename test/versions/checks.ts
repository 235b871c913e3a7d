import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Result, today } from "./results.ts";

/** A script `checks-<id>.*` checks a worker for versions that cannot be had. */
const SCRIPTS: Readonly<
	Record<string, { readonly level: "compiled" | "checked"; readonly by: string; readonly command: readonly string[] }>
> = {
	php: { level: "checked", by: "PHP's parser in WebAssembly", command: [process.execPath, "checks-php.mjs"] },
	python: { level: "checked", by: "vermin", command: ["sh", "checks-python.sh"] },
	ruby: { level: "checked", by: "the grammars of the gem parser", command: ["ruby", "checks-ruby.rb"] },
};

/**
 * Checks the worker of a runtime. A check prints a version on a line of its own, followed by the
 * faults that it found; it exits with a code other than 0 if its tool is missing.
 */
export function checks(id: string, cache: string): Result[] {
	const script = SCRIPTS[id];
	if (!script) return [];
	const place = join(cache, `checks-${id}`);
	mkdirSync(place, { recursive: true });
	const [command = "", ...args] = script.command;
	const { status, stdout, stderr } = spawnSync(command, args, {
		cwd: import.meta.dirname,
		env: { ...process.env, CHECK_CACHE: place },
		encoding: "utf8",
	});
	if (status !== 0) {
		console.log(`MISSING: the check of ${id}: ${stderr.trim()}`);
		return [];
	}
	return stdout.split(/^(?=\d+(?:\.\d+)*$)/m).flatMap((text) => {
		const [version = "", ...faults] = text.trimEnd().split("\n");
		if (version === "") return [];
		const ok = faults.length === 0;
		console.log([`${ok ? "ok    " : "BROKEN"} ${id} ${version}: ${script.level} by ${script.by}`, ...faults].join("\n       "));
		return [{ runtime: id, version, level: script.level, by: script.by, ok, date: today() }];
	});
}
