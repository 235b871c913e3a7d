// What is special about each kind of resource, tied to the cache: the plans and statuses themselves
// are pure functions.
import type { Config } from "./api/config.ts";
import type { CronJobTrigger, HTTPTrigger, KubelessFunction, KubeObject, MessageTriggerSpec, Resource } from "./api/types.ts";
import { planFunction } from "./function/plan.ts";
import { functionStatus } from "./function/status.ts";
import type { Api } from "./kube/api.ts";
import type { Applier } from "./kube/applier.ts";
import type { Cache } from "./kube/cache.ts";
import { recordRevision } from "./kube/revisions.ts";
import type { Plan } from "./plan.ts";
import type { Subject } from "./reconcile.ts";
import type { Outcome } from "./status.ts";
import { planConsumer, SOURCE_OF } from "./trigger/consumer.ts";
import { planCronJobTrigger } from "./trigger/cronjob.ts";
import { planHttpTrigger } from "./trigger/http.ts";
import { triggerStatus } from "./trigger/status.ts";
import type { World } from "./trigger/world.ts";

export interface Surroundings {
	readonly api: Api;
	readonly applier: Applier;
	readonly cache: Cache;
	/** Returns the configuration. Throws a SpecError if there has never been one that can be read. */
	config(): Config;
	/** Whether the cluster knows a kind that an add-on brings. */
	has(kind: string): boolean;
}

/** Returns the subjects by the resource's kind. */
export function subjects(around: Surroundings): Readonly<Record<string, Subject>> {
	const { cache } = around;
	const world = (): World => ({
		config: around.config(),
		has: around.has,
		fn: (namespace, name) => living(cache.find<KubelessFunction>("Function", namespace, name)),
		functions: (namespace) => cache.ofKind<KubelessFunction>("Function", namespace),
	});
	const trigger = (plan: (resource: Resource<unknown>) => Plan): Subject => ({
		plan,
		status: (resource, outcome) => statusOf(resource, outcome, around),
	});
	return {
		Function: functionSubject(around),
		HTTPTrigger: trigger((resource) => planHttpTrigger(resource as HTTPTrigger, world())),
		CronJobTrigger: trigger((resource) => planCronJobTrigger(resource as CronJobTrigger, world())),
		...Object.fromEntries(
			Object.entries(SOURCE_OF).map(([kind, source]) => [
				kind,
				trigger((resource) => planConsumer(source, resource as Resource<MessageTriggerSpec>, world())),
			]),
		),
	};
}

/** Returns the object without its status if that is about a version before the one just applied. */
const upToDate = (object: KubeObject | undefined, applier: Applier): KubeObject | undefined =>
	object && applier.isBehind(object) ? { ...object, status: undefined } : object;

const living = (fn: KubelessFunction | undefined): KubelessFunction | undefined => (fn?.metadata.deletionTimestamp ? undefined : fn);

function functionSubject({ api, applier, cache, config, has }: Surroundings): Subject {
	return {
		plan: (resource) => planFunction(resource as KubelessFunction, config(), has),
		applied: (resource) => recordRevision(api, applier, cache, resource as KubelessFunction),
		status(resource, outcome) {
			const { name, namespace } = resource.metadata;
			const deployment = upToDate(cache.find("Deployment", namespace, name), applier);
			return functionStatus(resource as KubelessFunction, outcome, {
				deployment,
				pods: cache.podsOf(resource),
				clusterDomain: config().clusterDomain,
			});
		},
	};
}

function statusOf(resource: Resource<unknown>, outcome: Outcome, { cache, applier }: Surroundings): ReturnType<typeof triggerStatus> {
	const [wanted] = outcome.plan?.objects ?? [];
	const made = upToDate(wanted && cache.find(wanted.kind, resource.metadata.namespace, wanted.metadata.name), applier);
	return triggerStatus(resource, outcome, made, cache.podsOf(resource));
}
