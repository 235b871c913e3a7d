// A loader that is killed (SIGKILL, out of memory) cannot end its workers. Those that speak the
// wire notice it; servers, commands, and processes that a function has started do not. A small
// shell process kills them instead: its standard input ends with the loader, however that ends.
import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads "+ GROUP" and "- GROUP". When its input ends, it lets workers end by themselves for 2 s,
 * and kills the groups that are left; at once if it cannot start `sleep`.
 */
const SCRIPT = `
groups=' '
while read -r sign group; do
	case $sign in
	+) groups="$groups$group " ;;
	-) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;;
	esac
done
[ -n "\${groups# }" ] || exit 0
trap 'for group in $groups; do kill -s KILL -- "-$group"; done' EXIT
sleep 2
`;

/**
 * How long after the first worker the watchdog is started, in ms: the function starts first. After
 * each end of a watchdog another one is started, after twice the time.
 */
const START_AFTER_MS = 100;
const MAX_START_AFTER_MS = 60_000;

class Watchdog {
	readonly #groups = new Set<number>();
	#timer: NodeJS.Timeout | undefined;
	#startAfterMs = START_AFTER_MS;
	#process: ChildProcess | undefined;
	/**
	 * The loader is the first process of its container or that one's child, so all end with it; or
	 * there is no shell.
	 */
	#isNeedless = process.pid === 1 || process.ppid === 1;

	/** Notes a process group that is to end with the loader. */
	add(group: number): void {
		if (this.#isNeedless) return;
		this.#groups.add(group);
		if (this.#process !== undefined) this.#write(`+ ${group}`);
		else this.#startLater();
	}

	/** The group has ended: its number may be another process's from now on. */
	remove(group: number): void {
		if (this.#groups.delete(group) && this.#process !== undefined) this.#write(`- ${group}`);
	}

	#startLater(): void {
		this.#timer ??= setTimeout(() => this.#start(), this.#startAfterMs).unref();
	}

	#start(): void {
		this.#timer = undefined;
		this.#startAfterMs = Math.min(this.#startAfterMs * 2, MAX_START_AFTER_MS);
		// A session of its own: Ctrl-C at a terminal does not reach it. Without PATH, a shell has a
		// default.
		const child = spawn("/bin/sh", ["-c", SCRIPT], { cwd: "/", env: {}, stdio: ["pipe", "ignore", "ignore"], detached: true });
		this.#process = child;
		child.unref();
		child.on("error", () => {
			this.#isNeedless = true;
			this.#process = undefined;
		});
		child.on("exit", () => {
			this.#process = undefined;
			if (this.#groups.size > 0) this.#startLater();
		});
		child.stdin.on("error", () => {});
		for (const group of this.#groups) this.#write(`+ ${group}`);
	}

	#write(line: string): void {
		this.#process?.stdin?.write(`${line}\n`);
	}
}

/** Ends the process groups of this loader if the loader is killed. */
export const watchdog = new Watchdog();
