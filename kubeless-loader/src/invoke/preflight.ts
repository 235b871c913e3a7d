import type { IncomingMessage, ServerResponse } from "node:http";
import { CORS_HEADER } from "./reply.ts";

/** OPTIONS is answered for the function, as Kubeless's runtimes did: everything the caller asks for is allowed. */
export function preflight(request: IncomingMessage, response: ServerResponse): void {
	const headers = [...CORS_HEADER, "Content-Length", "0"];
	const method = request.headers["access-control-request-method"];
	const asked = request.headers["access-control-request-headers"];
	if (method !== undefined) headers.push("Access-Control-Allow-Methods", method);
	if (asked !== undefined) headers.push("Access-Control-Allow-Headers", asked);
	response.writeHead(200, headers);
	response.end();
}
