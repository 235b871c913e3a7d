// The server behind a proxy: bare.mjs on a loopback port. It is a child of the proxy, so that its
// CPU time counts as the proxy's.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";

const BARE = fileURLToPath(new URL("../bare.mjs", import.meta.url));

/** Starts the server. Resolves with its port when it accepts connections. */
export async function startOrigin() {
	const probe = createServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const { port } = probe.address();
	probe.close();
	await once(probe, "close");
	const child = spawn(process.execPath, [BARE], { env: { ...process.env, PORT: String(port) }, stdio: "inherit" });
	process.on("exit", () => child.kill());
	process.on("SIGTERM", () => process.exit(0));
	while (!(await takesConnections(port))) await new Promise((resolve) => setTimeout(resolve, 5));
	return port;
}

function takesConnections(port) {
	return new Promise((resolve) => {
		const socket = connect({ port, host: "127.0.0.1" });
		socket.on("connect", () => resolve(true));
		socket.on("error", () => resolve(false));
		socket.on("connect", () => socket.destroy());
	});
}
