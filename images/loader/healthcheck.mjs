// The container's HEALTHCHECK: exit code 0 if the loader answers /healthz. A small file of its own,
// because it starts every 30 s.
import { get } from "node:http";

const request = get({ port: process.env.FUNC_PORT || 8080, path: "/healthz", timeout: 4000 }, ({ statusCode }) => {
	process.exit(statusCode === 200 ? 0 : 1);
});
request.on("timeout", () => request.destroy(new Error("no answer within 4 s")));
request.on("error", ({ message }) => {
	console.log(message);
	process.exit(1);
});
