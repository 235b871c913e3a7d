// The HTTP surface: the loader's own three routes, preflights, and everything else, which is the
// function's.
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAnswers, type CallerSocket, noteAnswer, watchConnection } from "./invoke/connection.ts";
import { originForm, type RequestHead, readHead } from "./invoke/event.ts";
import { preflight, refuseRequest } from "./invoke/preflight.ts";
import { refusalOf } from "./invoke/request-check.ts";
import type { LogStream } from "./log.ts";
import type { Metrics } from "./metrics.ts";

type RawRoute = (request: IncomingMessage, response: ServerResponse, upgrade?: string) => void;

export interface ServerParts {
	/**
	 * Takes a call. `upgrade` is the protocol that the caller wants to switch to, if the function can.
	 */
	readonly call: (request: IncomingMessage, response: ServerResponse, head: RequestHead, upgrade?: string) => void;
	/** where access lines go; undefined: none are written */
	readonly access: LogStream | undefined;
	readonly metrics: Metrics;
	/** false: only a restart of the container may help */
	readonly healthy: () => boolean;
	/** true: calls are taken now */
	readonly ready: () => boolean;
	/** true: connections end with their last answer */
	readonly draining: () => boolean;
	readonly bodyLimit: number;
	/** the function can switch a connection's protocol */
	readonly upgrades: boolean;
}

/**
 * How long a connection may stay idle, in ms: longer than load balancers keep theirs, so that they
 * close it.
 */
const KEEP_ALIVE_MS = 75_000;
/** How long a caller may take to send its headers, and its whole request, in ms. */
const HEADERS_MS = 60_000;
const REQUEST_MS = 300_000;

/** The loader's own paths; every other path and method is the function's. */
const OWN_PATH = /^\/(?:healthz|readyz|metrics)(?:\?|$)/;
const isOwn = ({ method, url }: IncomingMessage): boolean =>
	(method === "GET" || method === "HEAD") && OWN_PATH.test(originForm(url as string));

export function createServer(parts: ServerParts): FastifyInstance {
	const fastify = Fastify({
		logger: false,
		// Calls bypass the router: they need nothing of what it finds out and builds (docs/adr/0005).
		serverFactory: (router) =>
			httpServer((request, response, upgrade) => {
				noteAnswer(request.socket, response);
				const head = readHead(request.rawHeaders);
				const refusal = refusalOf(request, head);
				if (parts.draining()) response.shouldKeepAlive = false;
				if (refusal !== undefined) refuseRequest(request, response, head, parts.access, refusal);
				else if (isOwn(request)) router(request, response);
				else if (request.method === "OPTIONS") preflight(request, response, head, parts.access);
				else parts.call(request, response, head, upgrade);
			}, parts),
		exposeHeadRoutes: true,
		return503OnClosing: false, // probes are answered until the end
	});
	const probe = (path: string, passes: () => boolean, otherwise: string) =>
		fastify.get(path, (_request, reply) => {
			const ok = passes();
			return reply
				.code(ok ? 200 : 503)
				.type("text/plain; charset=utf-8")
				.send(ok ? "OK" : otherwise);
		});
	probe("/healthz", parts.healthy, "no worker can be started");
	probe("/readyz", parts.ready, "not ready");
	fastify.get("/metrics", async (request, reply) => {
		const { contentType, text } = await parts.metrics.render(request.headers.accept);
		return reply.type(contentType).send(text);
	});
	return fastify;
}

function httpServer(handler: RawRoute, { bodyLimit, upgrades, draining }: ServerParts): Server {
	const server = http.createServer(
		{
			keepAliveTimeout: KEEP_ALIVE_MS,
			headersTimeout: HEADERS_MS,
			requestTimeout: REQUEST_MS,
			shouldUpgradeCallback: (request) => upgrades && isWebSocket(request),
		},
		(request, response) => handler(request, response),
	);
	// From here on the connection has no HTTP parser: this is its last request.
	const leaveHttp = (request: IncomingMessage, socket: CallerSocket, first: Buffer, upgrade?: string) => {
		socket.on("error", () => {}); // the response's close event ends the call
		if (first.length > 0) socket.unshift(first);
		afterAnswers(socket, () => {
			socket.setTimeout(0);
			// A refused upgrade is answered like any request; an accepted one gives the connection away
			// (Call.upgraded).
			const response = new http.ServerResponse(request);
			response.shouldKeepAlive = false;
			response.assignSocket(socket);
			response.on("finish", () => socket.end());
			handler(request, response, upgrade);
		});
	};
	server.on("upgrade", (request: IncomingMessage, socket: Socket, first: Buffer) => leaveHttp(request, socket, first, "websocket"));
	server.on("connect", (request: IncomingMessage, socket: Socket, first: Buffer) => leaveHttp(request, socket, first));
	// A caller that waits for "100 Continue" learns at once that its body is too large.
	server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
		if (!draining() && !(Number(request.headers["content-length"]) > bodyLimit)) response.writeContinue();
		handler(request, response);
	});
	server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => handler(request, response));
	// A caller may close its side and still wait for the answer; by default Node.js would close the
	// connection.
	(server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
	server.on("connection", watchConnection);
	server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
		if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
		const status = CLIENT_ERRORS[error.code ?? ""] ?? "400 Bad Request";
		socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
	});
	return server;
}

/**
 * Other protocols, such as the h2c of many clients, are offers that may be ignored (RFC 9110 §7.8).
 */
const isWebSocket = ({ method, headers }: IncomingMessage): boolean => method === "GET" && headers.upgrade?.toLowerCase() === "websocket";

/** Status lines by the error of Node's HTTP parser; all others are 400. */
const CLIENT_ERRORS: Record<string, string> = {
	HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
	ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};
