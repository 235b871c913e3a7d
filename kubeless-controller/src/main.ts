// The controller's program: wait for the Lease, work until it is lost or a signal comes.
import { writeFileSync } from "node:fs";
import { type Logger, pino } from "pino";
import { Controller } from "./controller.ts";
import { Api } from "./kube/api.ts";
import { loadCluster } from "./kube/credentials.ts";
import { Lease } from "./kube/lease.ts";
import { Metrics } from "./metrics.ts";
import { serve } from "./server.ts";
import { readSettings, type Settings } from "./settings.ts";

const LEASE_NAME = "kubeless-controller";
/** The client's default if it finds neither a kubeconfig nor a service account. */
const NO_SERVER = "http://localhost:8080";

async function main(settings: Settings, log: Logger): Promise<void> {
	const stop = new AbortController();
	for (const signal of ["SIGTERM", "SIGINT"] as const) {
		process.on(signal, () => (stop.signal.aborted ? process.exit(1) : stop.abort()));
	}
	const { kubeconfig, tokenFile } = settings;
	const cluster = loadCluster({ ...(kubeconfig && { kubeconfig }), ...(tokenFile && { tokenFile }) });
	if (cluster.server === NO_SERVER) throw new Error("No cluster: set KUBECONFIG, or run in a pod with a service account.");
	const namespace = settings.namespace || cluster.namespace;
	const metrics = new Metrics();
	const api = new Api(cluster, { onRequest: (method, status) => metrics.requests.inc({ method, code: status }) });
	const lease = new Lease({ api, namespace, name: LEASE_NAME, identity: settings.identity });
	const controller = new Controller({ ...settings, api, log, metrics, configNamespace: namespace });
	const server = await serve(settings.port, metrics, () => (lease.holds ? controller.started : lease.seen));

	log.info({ server: cluster.server, namespace, identity: settings.identity }, "waiting for the Lease");
	await lease.acquire(stop.signal, (error) => log.warn({ error: error.message }, "the Lease cannot be acquired"));
	if (!stop.signal.aborted) {
		metrics.leader.set(1);
		log.info("leading");
		const ended = new AbortController();
		const signal = AbortSignal.any([stop.signal, ended.signal]);
		await Promise.all([lease.keep(signal), controller.run(signal)].map((part) => part.finally(() => ended.abort())));
	}
	await lease.release();
	server.close();
	server.closeAllConnections();
}

// Kubernetes restarts the container: a new process begins without the state of the one that failed.
const fail = (error: Error): void => {
	pino().fatal({ error: error.message, stack: error.stack }, "controller failed");
	try {
		writeFileSync("/dev/termination-log", error.message);
	} catch {
		// not in a container
	}
	process.exit(1);
};

process.on("unhandledRejection", (reason) => fail(reason as Error));
try {
	const settings = readSettings(process.env);
	const log = pino({ level: settings.logLevel, timestamp: pino.stdTimeFunctions.isoTime });
	await main(settings, log);
	log.info("stopped");
	process.exit(0);
} catch (error) {
	fail(error as Error);
}
