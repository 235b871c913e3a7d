// kubeless install and uninstall: the objects of deploy/base, which the build puts into the bundle.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { parse, parseAllDocuments, stringify } from "yaml";
import { inRegistry } from "../../kubeless-controller/src/api/runtimes.ts";
import type { Fields, KubeObject, Labels } from "../../kubeless-controller/src/api/types.ts";
import { isStatus } from "../../kubeless-controller/src/kube/api.ts";
import { listPath } from "../../kubeless-controller/src/kube/kinds.ts";
import { CliError } from "./errors.ts";
import { Progress, print } from "./output.ts";
import { FIELD_MANAGER, Session, type Shared, type Shell } from "./session.ts";
import { assertName, millisecondsOf } from "./values.ts";

/** The files of deploy/base by name; a checkout without a build reads them. */
declare const DEPLOY_FILES: Readonly<Record<string, string>> | undefined;

const NAMESPACE = "kubeless";
const CONTROLLER = "kubeless-controller";
const LOOK_MS = 500;

interface InstallFlags extends Shared {
	readonly namespace: string;
	readonly registry?: string;
	readonly wait: boolean;
	readonly waitTimeout: string;
}

export function addInstall(program: Command, shell: Shell): void {
	program
		.command("install")
		.description("install Kubeless in the cluster, or bring it to this version")
		.option("-n, --namespace <name>", "namespace of the controller", NAMESPACE)
		.option("--registry <registry>", "registry of all images, in place of kubeless")
		.option("--dry-run", "print the objects and change nothing")
		.option("--no-wait", "do not wait until the controller is ready")
		.option("--wait-timeout <seconds>", "longest wait", "300")
		.action(async (_, command: Command) => {
			const flags = command.optsWithGlobals<InstallFlags>();
			assertName("Namespace", flags.namespace);
			const waitMs = millisecondsOf("--wait-timeout", flags.waitTimeout);
			const objects = installObjects(flags.namespace, flags.registry);
			if (flags.dryRun)
				return print(
					shell,
					objects
						.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
						.join("---\n")
						.trimEnd(),
				);
			const session = new Session(shell, flags);
			const progress = new Progress(shell);
			for (const object of objects) {
				progress.show(`${object.kind} ${object.metadata.name}`);
				await applyObject(session, object, flags.registry);
			}
			progress.end();
			print(shell, `${objects.length} objects applied to ${session.cluster.server}`);
			if (flags.wait) await waitForController(session, flags.namespace, waitMs);
		});
	program
		.command("uninstall")
		.description("remove the controller; the functions go on running")
		.option("-n, --namespace <name>", "namespace of the controller", NAMESPACE)
		.option("--all", "remove the namespace and the CRDs, too, and with them all functions and triggers")
		.action(async (_, command: Command) => {
			const flags = command.optsWithGlobals<InstallFlags & { all?: boolean }>();
			const session = new Session(shell, flags);
			const objects = installObjects(flags.namespace).filter((object) => flags.all || !isKept(object));
			for (const object of objects.reverse()) {
				await session.api.send("DELETE", pathOf(object), { body: { propagationPolicy: "Background" } }).catch((error) => {
					if (!isStatus(error, 404)) throw error;
				});
			}
			print(
				shell,
				`Kubeless is removed from ${session.cluster.server}${flags.all ? "" : ". CRDs, functions, triggers and settings are kept; --all removes them."}`,
			);
		});
}

/**
 * Whether uninstall keeps an object: the functions, the settings, and the namespace around them
 * stay.
 */
const isKept = ({ kind }: KubeObject): boolean => kind === "CustomResourceDefinition" || kind === "Namespace" || kind === "ConfigMap";

/** Returns the objects of an installation, in the order in which they are applied. */
export function installObjects(namespace: string, registry?: string): KubeObject[] {
	const files = deployFiles();
	const { resources } = parse(files["kustomization.yaml"] ?? "") as { resources: string[] };
	const objects = resources.flatMap((file) => parseAllDocuments(files[file] ?? "").map((document) => document.toJS({}) as KubeObject));
	return objects.map((object) => withRegistry(inNamespace(object, namespace), registry));
}

function deployFiles(): Readonly<Record<string, string>> {
	if (typeof DEPLOY_FILES !== "undefined") return DEPLOY_FILES;
	const names = ["kustomization", "namespace", "crds", "account", "role", "config", "controller", "policy"].map((name) => `${name}.yaml`);
	return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(`../../deploy/base/${name}`, import.meta.url), "utf8")]));
}

/** Returns an object with another namespace, also where it refers to its namespace. */
function inNamespace(object: KubeObject, namespace: string): KubeObject {
	const text = JSON.stringify(object).replaceAll(`"namespace":"${NAMESPACE}"`, `"namespace":${JSON.stringify(namespace)}`);
	const moved = JSON.parse(text) as KubeObject;
	if (moved.kind === "Namespace") moved.metadata.name = namespace;
	return moved;
}

function withRegistry(object: KubeObject, registry: string | undefined): KubeObject {
	if (!registry) return object;
	if (object.kind === "ConfigMap") return { ...object, data: { ...(object["data"] as Labels), registry } };
	if (object.kind !== "Deployment") return object;
	const { spec } = object as KubeObject & { spec: { template: { spec: { containers: { image: string }[] } } } };
	const containers = spec.template.spec.containers.map((container) => ({ ...container, image: inRegistry(container.image, registry) }));
	return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } };
}

const pluralOf = (kind: string): string => `${kind.toLowerCase().replace(/y$/, "ie")}s`;
const pathOf = ({ apiVersion, kind, metadata: { name, namespace = "" } }: KubeObject): string =>
	`${listPath({ apiVersion, plural: pluralOf(kind) }, namespace)}/${name}`;

/**
 * Applies an object. An existing ConfigMap keeps its settings, except the registry if --registry is
 * given.
 */
async function applyObject({ api }: Session, object: KubeObject, registry: string | undefined): Promise<void> {
	const path = pathOf(object);
	if (object.kind === "ConfigMap" && (await api.find(path))) {
		if (registry) await api.send("PATCH", path, { body: { data: { registry } }, type: "application/merge-patch+json" });
		return;
	}
	if (object.kind === "CustomResourceDefinition") await closeOldCrd(api, path, object);
	await api.apply(path, object, FIELD_MANAGER);
}

/**
 * Replaces a CRD from before Kubernetes 1.16. It has preserveUnknownFields, which a schema with
 * defaults forbids, and which an apply leaves as it is.
 */
async function closeOldCrd(api: Session["api"], path: string, { spec }: KubeObject): Promise<void> {
	const found = (await api.find(path)) as { spec?: Fields } | undefined;
	if (found?.spec?.["preserveUnknownFields"] !== true) return;
	const body = { spec: { ...(spec as Fields), preserveUnknownFields: false } };
	await api.send("PATCH", path, { body, type: "application/merge-patch+json" });
}

async function waitForController({ api, shell }: Session, namespace: string, timeoutMs: number): Promise<void> {
	const progress = new Progress(shell);
	const deadline = Date.now() + timeoutMs;
	try {
		for (;;) {
			const { status = {} } = (await api.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${CONTROLLER}`)) as { status?: Fields };
			const conditions = (status["conditions"] ?? []) as { type: string; status: string; message?: string }[];
			const available = conditions.find(({ type }) => type === "Available");
			if (available?.status === "True") break;
			const why = available?.message ?? "its pods are not made yet";
			progress.show(`Waiting for the controller: ${why}`);
			if (Date.now() > deadline) {
				throw new CliError(
					`The controller is not ready after ${timeoutMs / 1000} s: ${why} See kubectl -n ${namespace} describe pods -l app.kubernetes.io/name=${CONTROLLER}.`,
				);
			}
			await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
		}
	} finally {
		progress.end();
	}
	print(shell, "The controller is ready. Deploy a function: kubeless function deploy hello --from-file hello.py");
}
