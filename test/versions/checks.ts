import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Result, today } from "./results.ts";

/** A script `checks-<id>.*`, which checks a worker for versions that cannot be had. */
interface Script {
	readonly id: string;
	readonly by: string;
	readonly command: readonly string[];
}

const SCRIPTS: readonly Script[] = [
	{ id: "php", by: "PHP's parser in WebAssembly", command: [process.execPath, "checks-php.mjs"] },
	{ id: "python", by: "vermin", command: ["sh", "checks-python.sh"] },
	{ id: "ruby", by: "the grammars of the gem parser", command: ["ruby", "checks-ruby.rb"] },
	{ id: "ruby", by: "Ruby's compiler in WebAssembly", command: [process.execPath, "--no-warnings", "checks-ruby.mjs"] },
];

/**
 * Checks the worker of a runtime. A check prints a version on a line of its own, followed by the
 * faults that it found; it exits with a code other than 0 if its tool is missing.
 */
export function checks(id: string, cache: string): Result[] {
	const place = join(cache, `checks-${id}`);
	mkdirSync(place, { recursive: true });
	return SCRIPTS.filter((script) => script.id === id).flatMap((script) => check(script, place));
}

function check({ id, by, command: [command = "", ...args] }: Script, place: string): Result[] {
	const { status, stdout, stderr } = spawnSync(command, args, {
		cwd: import.meta.dirname,
		env: { ...process.env, CHECK_CACHE: place },
		encoding: "utf8",
	});
	if (status !== 0) {
		console.log(`MISSING: ${id} was not checked by ${by}: ${stderr.trim()}`);
		return [];
	}
	return stdout.split(/^(?=\d+(?:\.\d+)*$)/m).flatMap((text) => {
		const [version = "", ...faults] = text.trimEnd().split("\n");
		if (version === "") return [];
		const ok = faults.length === 0;
		console.log([`${ok ? "ok    " : "BROKEN"} ${id} ${version}: checked by ${by}`, ...faults].join("\n       "));
		return [{ runtime: id, version, level: "checked", by, ok, date: today() }];
	});
}
