// /healthz, /readyz and /metrics.
import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

export interface Health {
	/** The consumer cannot recover: Kubernetes should restart it. */
	readonly broken: boolean;
	/** Every function's consumer is connected and takes part in its group. */
	readonly ready: boolean;
}

/** @returns the server, which listens already */
export async function serveOperations(port: number, registry: Registry, health: () => Health): Promise<Server> {
	const server = createServer(async (request, response) => {
		const { broken, ready } = health();
		const answer = (status: number, text: string, type = "text/plain"): void => {
			response
				.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) })
				.end(request.method === "HEAD" ? "" : text);
		};
		const path = request.url?.split("?")[0];
		if (path === "/healthz") return answer(broken ? 503 : 200, broken ? "broken" : "OK");
		if (path === "/readyz") return answer(ready ? 200 : 503, ready ? "OK" : "not connected");
		if (path === "/metrics") return answer(200, await registry.metrics(), registry.contentType);
		answer(404, "There are /healthz, /readyz and /metrics.");
	});
	await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, resolve));
	return server;
}
