// The cluster's kubeless-config, for commands that need the list of runtimes.
import { type Config, parseConfig } from "../../kubeless-controller/src/api/config.ts";
import { type Labels, SpecError } from "../../kubeless-controller/src/api/types.ts";
import { isStatus } from "../../kubeless-controller/src/kube/api.ts";
import { CliError } from "./errors.ts";
import type { Session } from "./session.ts";

export interface ServerConfig {
	readonly config: Config;
	/** False: the cluster's could not be read, and `config` has the defaults of this version. */
	readonly found: boolean;
	readonly data: Labels;
	readonly namespace: string;
	readonly name: string;
}

/** Returns kubeless-config, or the defaults if there is none or the user may not read it. */
export async function readConfig({ api, shell }: Session): Promise<ServerConfig> {
	const namespace = shell.env["KUBELESS_NAMESPACE"] || "kubeless";
	const name = shell.env["KUBELESS_CONFIG"] || "kubeless-config";
	try {
		const { data = {} } = (await api.get(`/api/v1/namespaces/${namespace}/configmaps/${name}`)) as unknown as { data?: Labels };
		return { config: parseConfig(data), found: true, data, namespace, name };
	} catch (error) {
		if (error instanceof SpecError) throw new CliError(`${error.message} Correct the ConfigMap ${name} in namespace ${namespace}.`);
		if (!isStatus(error, 403, 404)) throw error;
		return { config: parseConfig(), found: false, data: {}, namespace, name };
	}
}
