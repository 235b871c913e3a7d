// Training run, once when the image is built: serves calls with the loader, so that
// /opt/kubeless/compiled has V8's code cache of all code that serving uses.
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const place = mkdtempSync(join(tmpdir(), "training-run-"));
const node = "/opt/kubeless/bin/node";
const manifest = {
	id: "training-run",
	name: "Training run",
	suffixes: [".txt"],
	concurrency: "async",
	worker: [node, join(place, "worker.mjs")],
};
writeFileSync(join(place, "runtime.json"), JSON.stringify(manifest));
writeFileSync(join(place, "function.txt"), "");
// The smallest worker that PROTOCOL.md allows: `ready`, and a result for each call.
writeFileSync(
	join(place, "worker.mjs"),
	`import { Socket } from "node:net";
	const wire = new Socket({ fd: 3 });
	const send = (frame) => wire.write(JSON.stringify(frame) + "\\n");
	wire.on("data", (bytes) => {
		for (const [, id] of bytes.toString("latin1").matchAll(/"type":"call","id":(\\d+)/g)) send({ type: "result", id: Number(id) });
		if (bytes.includes('"type":"stop"')) process.exit();
	});
	send({ type: "ready", wire: 1, handler: "training-run" });`,
);
const env = { ...process.env, KUBELESS_RUNTIME_MANIFEST: join(place, "runtime.json"), KUBELESS_INSTALL_VOLUME: place, FUNC_PORT: "8080" };
const loader = spawn(node, ["/opt/kubeless/start.mjs"], { env, stdio: ["ignore", "pipe", "inherit"] });
loader.stdout.on("data", async (line) => {
	if (!line.includes('"serving"')) return;
	for (const path of ["/", "/", "/healthz", "/readyz", "/metrics"]) {
		await new Promise((resolve, reject) =>
			get({ port: 8080, path }, (response) => response.resume().on("end", resolve)).on("error", reject),
		);
	}
	loader.kill();
});
loader.on("exit", (code) => process.exit(code ?? 1));
