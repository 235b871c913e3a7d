import type { IncomingMessage, ServerResponse } from "node:http";
import { CORS_HEADER } from "./reply.ts";

/** Answers OPTIONS for the function, as Kubeless's runtimes did: every requested method and header is allowed. */
export function preflight(request: IncomingMessage, response: ServerResponse): void {
	const headers = [...CORS_HEADER, "Content-Length", "0"];
	const method = request.headers["access-control-request-method"];
	const wanted = request.headers["access-control-request-headers"];
	if (method !== undefined) headers.push("Access-Control-Allow-Methods", method);
	if (wanted !== undefined) headers.push("Access-Control-Allow-Headers", wanted);
	response.writeHead(200, headers);
	response.end();
}
