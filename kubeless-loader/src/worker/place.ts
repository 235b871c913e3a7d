import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where a worker that is a server listens: at a loopback port or at a Unix socket. */
export interface Place {
	/** for people */
	readonly text: string;
	/** what the server is told */
	readonly env: Readonly<Record<string, string>>;
	/** how to get there; tried in this order until one answers, and then that one */
	readonly ways: readonly Way[];
	/** The server is told to go: another may wait for the place. */
	leaving(): void;
	/** The server is gone: the place is free for another. */
	leave(): void;
}

export type Way = { readonly path: string } | { readonly host: string; readonly port: number };

/** Below the ports that systems give to outgoing connections, above those with names. */
const PORTS = { first: 20_000, last: 32_767 };
/** A socket's path may have so many `bytes` (sun_path). */
const LONGEST_PATH = 107;

/** ports of servers that run, and whether they serve or are on their way out */
const taken = new Map<number, "serves" | "leaves">();

/** A port that nobody has, different for each server that runs. */
export function freePort(): Place {
	const inUse = portsInUse();
	for (;;) {
		const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1));
		if (!taken.has(port) && !inUse.has(port)) return takePort(port);
	}
}

/**
 * The one port there is; undefined while the server before is on its way out.
 * @throws {Error} a server serves there
 */
export function fixedPort(port: number): Place | undefined {
	const state = taken.get(port);
	if (state === undefined) return takePort(port);
	if (state === "leaves") return undefined;
	throw new Error(
		`port ${port}, which the manifest's http.port fixes, is still held by the server that runs: a server that listens where PORT says can be replaced while it runs`,
	);
}

function takePort(port: number): Place {
	taken.set(port, "serves");
	const told = String(port);
	return {
		text: `port ${port} (variable PORT)`,
		// FUNC_PORT is what servers made for Kubeless's custom images read; the loader has its own.
		env: { PORT: told, KUBELESS_WORKER_PORT: told, FUNC_PORT: told },
		ways: [
			{ host: "127.0.0.1", port },
			{ host: "::1", port },
		],
		leaving: () => taken.set(port, "leaves"),
		leave: () => taken.delete(port),
	};
}

/**
 * A socket in a folder that only this user can enter. Where the root is read-only and no /tmp is mounted, /dev/shm is
 * there in every container.
 * @throws {Error} there is no folder to make it in
 */
export function freshSocket(): Place {
	const tried: string[] = [];
	for (const base of new Set([tmpdir(), "/tmp", "/dev/shm"])) {
		try {
			const folder = mkdtempSync(join(base, "kubeless-"));
			const path = join(folder, "http.sock");
			const leave = () => rmSync(folder, { recursive: true, force: true });
			if (Buffer.byteLength(path) <= LONGEST_PATH) {
				const env = { KUBELESS_WORKER_SOCKET: path };
				return { text: `socket ${path} (variable KUBELESS_WORKER_SOCKET)`, env, ways: [{ path }], leaving: () => {}, leave };
			}
			leave();
			tried.push(`${base} (its name is too long)`);
		} catch (cause) {
			tried.push(`${base} (${(cause as NodeJS.ErrnoException).code})`);
		}
	}
	throw new Error(`no folder can take the server's socket, neither of ${tried.join(", ")}: mount a volume at /tmp, or use a port`);
}

/** All local ports in use, as Linux lists them; elsewhere none are known, and a port that is taken costs a start. */
function portsInUse(): Set<number> {
	const ports = new Set<number>();
	for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
		try {
			for (const [, port] of readFileSync(file, "utf8").matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) /gm))
				ports.add(Number.parseInt(port ?? "", 16));
		} catch {
			// No such list.
		}
	}
	return ports;
}
