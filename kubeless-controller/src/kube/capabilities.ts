// Which kinds of add-ons the cluster has: the Gateway API, KEDA, the Prometheus operator.
import { type Api, isStatus } from "./api.ts";
import { type Kind, MADE } from "./kinds.ts";

interface ResourceList {
	resources?: { kind: string }[];
}

/** Returns the add-on kinds that the API server serves. */
export async function findAddOns(api: Api): Promise<Kind[]> {
	const addOns = MADE.filter(({ addOn }) => addOn);
	const versions = [...new Set(addOns.map(({ apiVersion }) => apiVersion))];
	const served = await Promise.all(versions.map((apiVersion) => kindsOf(api, apiVersion)));
	return addOns.filter(({ apiVersion, kind }) => served[versions.indexOf(apiVersion)]?.includes(kind));
}

async function kindsOf(api: Api, apiVersion: string): Promise<string[]> {
	try {
		const { resources = [] } = await api.get<ResourceList>(`/apis/${apiVersion}`);
		return resources.map(({ kind }) => kind);
	} catch (error) {
		if (isStatus(error, 404)) return [];
		throw error;
	}
}
