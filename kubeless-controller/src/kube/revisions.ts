// The last versions of a Function as ControllerRevisions, for a rollback: `data.spec` is what the
// Function's spec was.
import { sha256 } from "../api/function.ts";
import { CREATED_BY, ownerOf, shortName } from "../api/names.ts";
import { HISTORY_LIMIT, revisionSpec } from "../api/revisions.ts";
import type { KubelessFunction, KubeObject } from "../api/types.ts";
import { sorted } from "../status.ts";
import { type Api, isStatus } from "./api.ts";
import type { Applier } from "./applier.ts";
import type { Cache } from "./cache.ts";
import { kindOf, listPath } from "./kinds.ts";

type Revision = KubeObject & { revision?: number };

/**
 * Records the current version, unless it is the newest one already, and deletes versions beyond the
 * limit.
 */
export async function recordRevision(api: Api, applier: Applier, cache: Cache, fn: KubelessFunction): Promise<void> {
	const { name, namespace } = fn.metadata;
	const known = cache.ownedBy(fn).filter(({ kind }) => kind === "ControllerRevision") as Revision[];
	const numbered = known.sort((a, b) => (b.revision ?? 0) - (a.revision ?? 0));
	const spec = revisionSpec(fn.spec);
	const revisionName = shortName(name, sha256(JSON.stringify(sorted(spec))).slice(0, 10), 253);
	const [newest] = numbered;
	if (newest?.metadata.name === revisionName) return;
	const revision = (newest?.revision ?? 0) + 1;
	const again = numbered.find((old) => old.metadata.name === revisionName);
	// The Function went back to an older version. The API server compares `data` byte by byte, so a
	// change of the number alone is refused.
	if (again) await applier.remove(again);
	const metadata = { name: revisionName, namespace, labels: { ...CREATED_BY, function: name }, ownerReferences: [ownerOf(fn)] };
	const body = { apiVersion: "apps/v1", kind: "ControllerRevision", metadata, revision, data: { spec } };
	try {
		await api.send("POST", listPath(kindOf("ControllerRevision"), namespace), { body });
	} catch (error) {
		// The cache does not have it yet.
		if (!isStatus(error, 409)) throw error;
	}
	for (const old of numbered.filter((other) => other !== again).slice(HISTORY_LIMIT - 1)) await applier.remove(old);
}
