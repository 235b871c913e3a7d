// /healthz, /readyz and /metrics of the controller.
import { createServer, type Server } from "node:http";
import type { Metrics } from "./metrics.ts";

/** @param ready whether this replica works, or waits for the Lease with a working connection */
export function serve(port: number, metrics: Metrics, ready: () => boolean): Promise<Server> {
	const server = createServer((request, response) => {
		const answer = (status: number, text: string, type = "text/plain"): void =>
			void response.writeHead(status, { "content-type": type }).end(text);
		if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "GET only\n");
		switch (request.url?.split("?", 1)[0]) {
			case "/healthz":
				return answer(200, "OK\n");
			case "/readyz":
				return ready() ? answer(200, "OK\n") : answer(503, "starting\n");
			case "/metrics":
				metrics.registry.metrics().then(
					(text) => answer(200, text, metrics.registry.contentType),
					(error: Error) => answer(500, `${error.message}\n`),
				);
				return;
			default:
				return answer(404, "not found\n");
		}
	});
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, () => resolve(server));
	});
}
