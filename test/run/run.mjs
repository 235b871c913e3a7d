// One run of the tests: an id in the environment of everything it starts, and a folder for
// temporary files. Both are cleaned up by guard.mjs when the run ends, also when it is killed.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Begins a run: sets TEST_RUN and TMPDIR for this process and all that it starts. */
export function beginRun() {
	// Short: the path of a socket has at most 107 bytes.
	const folder = mkdtempSync(join(tmpdir(), "kt-"));
	// The installers' tests run as another user, who must reach their folders in this one.
	chmodSync(folder, 0o755);
	const run = basename(folder);
	const guard = spawn(process.execPath, [join(import.meta.dirname, "guard.mjs"), run, folder], {
		detached: true,
		stdio: ["pipe", "ignore", "ignore"],
	});
	guard.unref();
	guard.stdin.unref();
	process.env.TEST_RUN = run;
	process.env.TMPDIR = folder;
}
