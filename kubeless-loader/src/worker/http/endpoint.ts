import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where a server listens: a loopback port or a Unix socket. */
export interface Endpoint {
	/** for people */
	readonly text: string;
	/** the variables by which the server learns of it */
	readonly env: Readonly<Record<string, string>>;
	/** tried in this order until one of them takes connections */
	readonly addresses: readonly Address[];
	/** The server is about to end: another one may wait for the endpoint. */
	releasing(): void;
	/** The server has ended: the endpoint is free for another one. */
	release(): void;
}

export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * Below the ports that systems use for outgoing connections, above the registered ones in common
 * use.
 */
const PORTS = { first: 20_000, last: 32_767 };
/** Bytes of a socket's path (sun_path). */
const MAX_PATH_BYTES = 107;

/** ports of running servers */
const taken = new Map<number, "serving" | "releasing">();

/** Returns a free port, another one for each running server. */
export function freePort(): Endpoint {
	const inUse = portsInUse();
	for (;;) {
		const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1));
		if (!taken.has(port) && !inUse.has(port)) return takePort(port);
	}
}

/**
 * Returns undefined while the previous server, which is about to end, still holds the port.
 * @throws {Error} if a server serves at the port
 */
export function fixedPort(port: number): Endpoint | undefined {
	const state = taken.get(port);
	if (state === undefined) return takePort(port);
	if (state === "releasing") return undefined;
	throw new Error(
		`port ${port} ("http.port") is still used by the running worker. Remove "http.port" and listen on $PORT to allow reloads without downtime`,
	);
}

function takePort(port: number): Endpoint {
	taken.set(port, "serving");
	const value = String(port);
	return {
		text: `port ${port} (variable PORT)`,
		// Servers made for Kubeless's custom images read FUNC_PORT.
		env: { PORT: value, KUBELESS_WORKER_PORT: value, FUNC_PORT: value },
		addresses: [
			{ host: "127.0.0.1", port },
			{ host: "::1", port },
		],
		releasing: () => taken.set(port, "releasing"),
		release: () => taken.delete(port),
	};
}

/**
 * Returns a socket in a folder that only this user can enter. With a read-only root and no volume
 * at /tmp, every container still has /dev/shm.
 * @throws {Error} if none of the folders can be written
 */
export function freshSocket(): Endpoint {
	const tried: string[] = [];
	for (const base of new Set([tmpdir(), "/tmp", "/dev/shm"])) {
		try {
			const folder = mkdtempSync(join(base, "kubeless-"));
			const path = join(folder, "http.sock");
			const release = () => rmSync(folder, { recursive: true, force: true });
			if (Buffer.byteLength(path) <= MAX_PATH_BYTES) {
				const env = { KUBELESS_WORKER_SOCKET: path };
				return { text: `socket ${path} (variable KUBELESS_WORKER_SOCKET)`, env, addresses: [{ path }], releasing: () => {}, release };
			}
			release();
			tried.push(`${base} (its name is too long)`);
		} catch (cause) {
			tried.push(`${base} (${(cause as NodeJS.ErrnoException).code})`);
		}
	}
	throw new Error(`the server's socket cannot be made in any of ${tried.join(", ")}: mount a volume at /tmp, or use a port`);
}

/**
 * Returns the local ports in use, as Linux lists them; on other systems none, and a port in use
 * costs a failed start.
 */
function portsInUse(): Set<number> {
	const ports = new Set<number>();
	for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
		try {
			for (const [, port] of readFileSync(file, "utf8").matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) /gm))
				ports.add(Number.parseInt(port ?? "", 16));
		} catch {
			// Not Linux.
		}
	}
	return ports;
}
