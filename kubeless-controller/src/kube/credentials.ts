// Address and credentials of the API server, from the pod's service account or a kubeconfig.
// Only KubeConfig is imported: the package's index loads a thousand generated models, 50 MB that
// nothing here uses.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import type { Dispatcher } from "undici";

export interface Credentials {
	readonly headers: Readonly<Record<string, string>>;
	readonly dispatcher: Dispatcher | undefined;
}

export interface Cluster {
	readonly server: string;
	/** The namespace of the context, or the pod's. */
	readonly namespace: string;
	/** Returns fresh credentials: a service account's token changes about every hour. */
	credentials(): Promise<Credentials>;
}

/** @param tokenFile a bearer token in place of the service account's */
export function loadCluster({
	kubeconfig,
	tokenFile,
	context,
}: {
	kubeconfig?: string;
	tokenFile?: string;
	context?: string;
} = {}): Cluster {
	const config = new KubeConfig();
	if (kubeconfig) config.loadFromFile(kubeconfig);
	else config.loadFromDefault();
	if (context) config.setCurrentContext(context);
	const user = config.getCurrentUser();
	if (tokenFile && user) Object.assign(user, { authProvider: { name: "tokenFile", config: { tokenFile } } });
	const cluster = config.getCurrentCluster();
	if (!cluster) throw new Error("No cluster: set KUBECONFIG, or run in a pod with a service account.");
	return {
		server: cluster.server.replace(/\/$/, ""),
		namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
		async credentials() {
			const headers: Record<string, string> = {};
			let dispatcher: Dispatcher | undefined;
			const receiver = {
				setHeaderParam: (name: string, value: string) => (headers[name] = value),
				setDispatcher: (made: Dispatcher) => (dispatcher = made),
			};
			await config.applySecurityAuthentication(receiver as unknown as RequestContext);
			return { headers, dispatcher };
		},
	};
}
