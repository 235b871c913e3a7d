import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { originForm } from "./invoke/event.ts";
import { preflight } from "./invoke/preflight.ts";
import { CORS_HEADER } from "./invoke/reply.ts";
import type { Metrics } from "./metrics.ts";

/** `upgrade`: the protocol the caller asks to change to, where the function can. */
type RawRoute = (request: IncomingMessage, response: ServerResponse, upgrade?: string) => void;

export interface ServerParts {
	readonly call: RawRoute;
	readonly metrics: Metrics;
	/** the loader can serve, or bring itself to: else the container wants a restart */
	readonly healthy: () => boolean;
	/** calls sent now will be taken */
	readonly ready: () => boolean;
	readonly bodyLimit: number;
	/** the function may change a connection's protocol */
	readonly upgrades: boolean;
}

/** How long a connection may stay idle, in `ms`: longer than load balancers keep theirs, so that they are the ones to close. */
const KEEP_ALIVE_MS = 75_000;
/** How long a caller may take to send its headers and its whole request, in `ms`. */
const HEADERS_MS = 60_000;
const REQUEST_MS = 300_000;

/** What is the loader's own; everything else is the function's, whatever its path and method. */
const OWN_PATH = /^\/(?:healthz|readyz|metrics)(?:\?|$)/;
const isOwn = ({ method, url }: IncomingMessage): boolean =>
	(method === "GET" || method === "HEAD") && OWN_PATH.test(originForm(url as string));

/** A % in the path that begins no escape: Express answered it with 400, and so did Kubeless's runtime. */
const HALF_ESCAPE = /^[^?]*%(?![0-9a-f]{2})/i;

/** The HTTP surface: three routes of the loader's own, and all calls of the function. */
export function createServer(parts: ServerParts): FastifyInstance {
	const fastify = Fastify({
		logger: false,
		// A call is taken over before the router: what it would find out and build, no call has a use for (docs/adr/0005).
		serverFactory: (router) =>
			httpServer((request, response, upgrade) => {
				if (isOwn(request)) router(request, response);
				else if (request.method === "OPTIONS") preflight(request, response);
				else if (HALF_ESCAPE.test(request.url as string)) badRequest(response);
				else parts.call(request, response, upgrade);
			}, parts),
		exposeHeadRoutes: true,
		return503OnClosing: false, // probes are answered to the end
	});
	const probe = (path: string, holds: () => boolean, otherwise: string) =>
		fastify.get(path, (_request, reply) => {
			const fine = holds();
			return reply
				.code(fine ? 200 : 503)
				.type("text/plain; charset=utf-8")
				.send(fine ? "OK" : otherwise);
		});
	probe("/healthz", parts.healthy, "no worker can be started");
	probe("/readyz", parts.ready, "not ready");
	fastify.get("/metrics", async (request, reply) => {
		const { contentType, text } = await parts.metrics.render(request.headers.accept);
		return reply.type(contentType).send(text);
	});
	return fastify;
}

function httpServer(handler: RawRoute, { bodyLimit, upgrades }: ServerParts): Server {
	const server = http.createServer(
		{
			keepAliveTimeout: KEEP_ALIVE_MS,
			headersTimeout: HEADERS_MS,
			requestTimeout: REQUEST_MS,
			shouldUpgradeCallback: (request) => upgrades && isWebSocket(request),
		},
		(request, response) => handler(request, response),
	);
	server.on("upgrade", (request: IncomingMessage, socket: Socket, first: Buffer) => {
		socket.on("error", () => {}); // the response's close tells the call
		if (first.length > 0) socket.unshift(first);
		// Refused, it is answered like any other request; accepted, the connection is the function's (Call.upgraded).
		const response = new http.ServerResponse(request);
		response.shouldKeepAlive = false;
		response.assignSocket(socket);
		response.on("finish", () => socket.end());
		handler(request, response, "websocket");
	});
	// A caller that asks before it sends is told at once that its body is too large.
	server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
		if (!(Number(request.headers["content-length"]) > bodyLimit)) response.writeContinue();
		handler(request, response);
	});
	server.on("request", (request: IncomingMessage & { socket: CallerSocket }, response) => {
		request.socket[LATEST] = response;
	});
	// A caller may close its side and still wait for the answer; Node would cut it off.
	(server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
	server.on("connection", (socket: CallerSocket) => socket.on("end", () => lookForCaller(socket)));
	server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
		if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
		const status = CLIENT_ERRORS[error.code ?? ""] ?? "400 Bad Request";
		socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
	});
	return server;
}

/** Other protocols are offers that may be passed over (RFC 9110 §7.8), such as the h2c of many clients. */
const isWebSocket = ({ method, headers }: IncomingMessage): boolean => method === "GET" && headers.upgrade?.toLowerCase() === "websocket";

const LATEST = Symbol("latest response");
type CallerSocket = Socket & { [LATEST]?: ServerResponse };
/** How long a caller that is gone takes to be noticed, in `ms`. */
const LOOK_AGAIN_MS = 100;

/**
 * The caller's side is closed: it waits, or it is gone, and TCP tells which only to one who writes. An interim
 * answer (RFC 9110 §15.2.1: callers ignore it) makes the socket fail at the second write if nobody is there.
 */
function lookForCaller(socket: CallerSocket): void {
	const response = socket[LATEST];
	const look = () => {
		if (response && !response.writableEnded && !response.headersSent && response.req.httpVersionMinor > 0) response.writeContinue();
	};
	look();
	setTimeout(look, LOOK_AGAIN_MS);
}

/** What Node's HTTP parser complains of, as a status line; everything else is a bad request. */
const CLIENT_ERRORS: Record<string, string> = {
	HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
	ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

function badRequest(response: ServerResponse): void {
	const body = "Bad Request: the path has a % that is not followed by two hexadecimal digits; write it as %25";
	response.writeHead(400, [...CORS_HEADER, "Content-Type", "text/plain; charset=utf-8", "Content-Length", String(body.length)]);
	response.end(body);
}
