import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import type { Owner } from "../support/owner.ts";
import type { Files } from "./pod.ts";

const tls = (name: string): string => readFileSync(join(import.meta.dirname, "tls", name), "utf8");
/** The user of the registry and of the proxy. */
export const USER = "installer";
export const PASSWORD = "a-password-in-no-log";
/**
 * Two parts that no encoding changes except base64, and between them what tools encode in different
 * ways.
 */
export const WRONG = "Zq8left@/m:%&+\\<Zq9right";
export const BASIC = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
/** The certificate authority of the registries, which no machine trusts. */
export const AUTHORITY = tls("ca.crt");
/** The name of a registry that only the proxy can resolve. */
export const INSIDE = "registry.example";

/** A package registry: files over HTTPS, with a password. */
export class Registry {
	/** the paths of the authorized requests */
	readonly requested: string[] = [];
	/** the number of requests without the password */
	refused = 0;
	/** Returns the content to send in place of a file, or `undefined` to never respond. */
	change: (path: string, body: Buffer) => Buffer | undefined = (_, body) => body;
	readonly #server: https.Server;

	/** @param files returns the files of a registry with this address */
	constructor(owner: Owner, files: (base: string) => Files) {
		const known = new Map<string, Files>();
		this.#server = https.createServer({ key: tls("server.key"), cert: tls("server.crt") }, (request, response) => {
			const path = decodeURIComponent((request.url ?? "").replace(/\?.*/, ""));
			if (request.headers.authorization !== `Basic ${BASIC}`) {
				this.refused++;
				response.writeHead(401, { "WWW-Authenticate": 'Basic realm="registry"' }).end();
				return;
			}
			const base = `https://${request.headers.host}`;
			if (!known.has(base)) known.set(base, files(base));
			this.requested.push(path);
			const file = known.get(base)?.[path];
			if (file === undefined) {
				response.writeHead(404).end();
				return;
			}
			const body = this.change(path, Buffer.from(file));
			const type = path.endsWith("/") ? "text/html" : "application/octet-stream";
			if (body)
				response.writeHead(200, { "Content-Type": type, "Content-Length": body.length }).end(request.method === "HEAD" ? undefined : body);
		});
		owner.after(() => {
			this.#server.closeAllConnections();
			this.#server.close();
		});
	}

	async listening(): Promise<this> {
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		return this;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	/** its host and port */
	get host(): string {
		return `localhost:${this.port}`;
	}
}

/**
 * Starts a proxy with a password that reaches only the registry. Returns its URL with a password,
 * which may be wrong, and the requested hosts.
 */
export async function startProxy(owner: Owner, registry: Registry, password = PASSWORD): Promise<{ url: string; requested: string[] }> {
	const requested: string[] = [];
	const server = http.createServer((_, response) => void response.writeHead(403).end());
	server.on("connect", ({ url = "", headers }, socket, head) => {
		socket.on("error", () => {});
		if (headers["proxy-authorization"] !== `Basic ${BASIC}`) {
			socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n');
			return;
		}
		requested.push(url);
		if (url !== `${INSIDE}:443`) {
			socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
			return;
		}
		const inside = net.connect(registry.port, "127.0.0.1", () => {
			socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
			inside.write(head);
			inside.pipe(socket).pipe(inside);
		});
		inside.on("error", () => socket.destroy());
		socket.on("close", () => inside.destroy());
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	owner.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://${USER}:${encodeURIComponent(password)}@127.0.0.1:${(server.address() as AddressInfo).port}`, requested };
}
