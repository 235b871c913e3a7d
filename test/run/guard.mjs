// Cleans up after a test run, however the run ended. The run starts this process in a session of
// its own and holds the other end of its standard input: the kernel closes it when the run ends,
// SIGKILL included.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";

const [run, folder] = process.argv.slice(2);
process.stdin.on("end", clean).resume();

function clean() {
	// A process that is being ended may start another one, so look again until there is nothing left.
	for (let round = 0; round < 20 && killAll(); round++);
	for (const place of mounts()) spawnSync("umount", ["--lazy", place], { stdio: "ignore" });
	rmSync(folder, { recursive: true, force: true });
}

/** Kills every process that the run started. @returns {boolean} whether there was one */
function killAll() {
	let found = false;
	for (const pid of processes().filter(isOfRun)) {
		try {
			process.kill(pid, "SIGKILL");
			found = true;
		} catch {
			// It has ended by itself.
		}
	}
	return found;
}

/** The file systems that tests have mounted below the folder (test/chaos/disk.ts). */
function mounts() {
	try {
		const places = readFileSync("/proc/mounts", "utf8")
			.split("\n")
			.map((line) => line.split(" ")[1] ?? "");
		return places.filter((place) => place.startsWith(`${folder}/`));
	} catch {
		return [];
	}
}

/** Linux only; elsewhere a killed run leaves its processes. */
function processes() {
	try {
		return readdirSync("/proc")
			.map(Number)
			.filter((pid) => pid > 0 && pid !== process.pid);
	} catch {
		return [];
	}
}

/**
 * The run is in the environment of all that it started (`TEST_RUN`), or begins the marker that a
 * test gave (`TEST_MARKER`).
 */
function isOfRun(pid) {
	try {
		const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
		return environment.some((entry) => entry === `TEST_RUN=${run}` || entry.startsWith(`TEST_MARKER=${run}-`));
	} catch {
		return false; // it has ended, or belongs to another user
	}
}
