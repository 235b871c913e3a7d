// What the container's HEALTHCHECK runs: exit code 0 if the loader answers /healthz. It is its own small file, as it starts every half minute.
import { get } from "node:http";

const request = get({ port: process.env.FUNC_PORT || 8080, path: "/healthz", timeout: 4000 }, ({ statusCode }) => {
	process.exit(statusCode === 200 ? 0 : 1);
});
request.on("timeout", () => request.destroy(new Error("no answer within 4 s")));
request.on("error", ({ message }) => {
	console.log(message);
	process.exit(1);
});
