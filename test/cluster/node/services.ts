// The addresses of Services on the node, in place of kube-proxy: each ClusterIP is an address of
// the node's bridge, and each of its TCP ports is relayed to a ready pod. Names of Services are
// resolved by a DNS server on the node's own address.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { KubeObject } from "../../../kubeless-controller/src/api/types.ts";
import type { Api } from "../../../kubeless-controller/src/kube/api.ts";
import type { Kind } from "../../../kubeless-controller/src/kube/kinds.ts";
import { Reflector } from "../../../kubeless-controller/src/kube/reflector.ts";
import { BRIDGE, ip, NODE_ADDRESS } from "./network.ts";

interface Service extends KubeObject {
	readonly spec: {
		readonly clusterIP?: string;
		readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
	};
}
interface EndpointSlice extends KubeObject {
	readonly ports: readonly { readonly name?: string; readonly port: number }[] | null;
	readonly endpoints: readonly { readonly addresses: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[] | null;
}
interface Target {
	readonly host: string;
	readonly port: number;
}

const DOMAIN = ".svc.cluster.local";
const SERVICE_NAME = "kubernetes.io/service-name";

const kind = (apiVersion: string, name: string, plural: string): Kind => ({
	...{ apiVersion, kind: name, plural, selector: "", addOn: false },
	trim: (object) => object,
});

/**
 * Serves the addresses and names of all Services.
 * @param apiServer where the Service `kubernetes` leads to, which has no endpoints
 * @returns a function that ends it
 */
export async function serveServices(api: Api, apiServer: Target): Promise<() => Promise<void>> {
	const addresses = new Map<string, string>();
	const slices = new Map<string, EndpointSlice>();
	const relays = new Map<string, Server>();
	const stop = new AbortController();

	const targets = (service: string, portName: string): Target[] => {
		if (service === "default/kubernetes") return [apiServer];
		return [...slices.values()]
			.filter(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME]}` === service)
			.flatMap(({ ports, endpoints }) => {
				const port = ports?.find(({ name = "" }) => name === portName)?.port;
				const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
				return port === undefined ? [] : ready.map(({ addresses: [host = ""] }) => ({ host, port }));
			});
	};
	const onService = (now: Service | undefined, before: Service | undefined): void => {
		const { namespace, name } = (now ?? (before as Service)).metadata;
		const key = `${namespace}/${name}`;
		const wanted = new Map<string, () => Server>();
		const { clusterIP = "None", ports = [] } = now?.spec ?? {};
		if (clusterIP !== "None") {
			if (!addresses.has(key)) ip("addr", "add", `${clusterIP}/32`, "dev", BRIDGE);
			addresses.set(key, clusterIP);
			for (const { name: portName = "", port } of ports)
				wanted.set(`${key} ${portName} ${port}`, () => relay(clusterIP, port, () => targets(key, portName)));
		}
		for (const [id, server] of relays) {
			if (!id.startsWith(`${key} `) || wanted.has(id)) continue;
			server.close();
			relays.delete(id);
		}
		for (const [id, start] of wanted) if (!relays.has(id)) relays.set(id, start());
		const address = addresses.get(key);
		if (clusterIP !== "None" || address === undefined) return;
		addresses.delete(key);
		ip("addr", "del", `${address}/32`, "dev", BRIDGE);
	};
	const onSlice = (now: EndpointSlice | undefined, before: EndpointSlice | undefined): void => {
		const { namespace, name } = (now ?? (before as EndpointSlice)).metadata;
		if (now) slices.set(`${namespace}/${name}`, now);
		else slices.delete(`${namespace}/${name}`);
	};
	const common = { api, namespace: "", onRestart: () => {} };
	const reflectors = [
		new Reflector({ ...common, kind: kind("v1", "Service", "services"), onChange: onService as never }),
		new Reflector({ ...common, kind: kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"), onChange: onSlice as never }),
	];
	const running = reflectors.map((reflector) => reflector.run(stop.signal));
	const endNames = await serveNames((service) => addresses.get(service));
	await Promise.all(reflectors.map(({ synced }) => synced));
	return async () => {
		stop.abort();
		await Promise.all([...running, endNames()]);
		for (const server of relays.values()) server.close();
	};
}

/**
 * Relays connections to an address and port to the targets in turn. A connection without a target
 * is closed.
 */
export function relay(host: string, port: number, targets: () => readonly Target[]): Server {
	let count = 0;
	const open = new Set<Socket>();
	const server = createServer({ allowHalfOpen: true }, (client) => {
		const found = targets();
		const target = found[count++ % found.length];
		if (!target) return void client.destroy();
		const pod = connect({ ...target, allowHalfOpen: true });
		for (const [from, to] of [
			[client, pod],
			[pod, client],
		] as const) {
			open.add(from);
			from
				.on("error", () => to.destroy())
				.on("close", () => {
					open.delete(from);
					if (from.errored) to.destroy();
				});
			from.pipe(to);
		}
	}).listen(port, host);
	const close = server.close.bind(server);
	server.close = (done) => {
		for (const socket of open) socket.destroy();
		return close(done);
	};
	return server;
}

/**
 * Answers A queries for NAME.NAMESPACE.svc.cluster.local; other names do not exist.
 * @returns a function that ends it
 */
async function serveNames(addressOf: (service: string) => string | undefined): Promise<() => Promise<void>> {
	const server = createSocket("udp4");
	server.on("message", (query, { address, port }) => {
		const labels: string[] = [];
		let at = 12;
		for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
			labels.push(query.toString("latin1", at + 1, at + 1 + length));
			at += 1 + length;
		}
		const type = query.readUInt16BE(at + 1);
		const name = labels.join(".").toLowerCase();
		const [service = "", namespace] = name.slice(0, -DOMAIN.length).split(".");
		const found = name.endsWith(DOMAIN) ? addressOf(`${namespace}/${service}`) : undefined;
		// RFC 1035: type A, a pointer to the name in the question, class IN, 5 s, 4 bytes.
		const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...(found ?? "0.0.0.0").split(".").map(Number)]);
		const count = found !== undefined && type === 1 ? 1 : 0;
		// A response, authoritative, recursion available; NXDOMAIN without a Service.
		const header = Buffer.from([...query.subarray(0, 2), 0x85, found === undefined ? 0x83 : 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
		server.send(Buffer.concat([header, query.subarray(12, at + 5), ...(count ? [answer] : [])]), port, address);
	});
	server.bind(53, NODE_ADDRESS);
	await once(server, "listening");
	return () => new Promise((resolve) => server.close(resolve));
}
