// npm run generate --workspace kubeless-controller: writes what follows from the source into
// deploy/, the CRDs, the rights and the admission policy. A test compares.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { crds } from "./src/api/crds.ts";
import { GROUP } from "./src/api/types.ts";
import { RUNTIMES_CONFIG_MAP } from "./src/controller.ts";
import { type Kind, MADE, PODS, RESOURCES } from "./src/kube/kinds.ts";

const NOTICE = "# Written by kubeless-controller/generate.ts.\n";
const NAMESPACE = "kubeless";

const groupOf = ({ apiVersion }: Kind): string => (apiVersion.includes("/") ? (apiVersion.split("/", 1)[0] ?? "") : "");
const plurals = (kinds: readonly Kind[], suffix = ""): string[] => kinds.map(({ plural }) => plural + suffix);

/** The controller's rights: no more than its requests need. */
function rules(): object[] {
	const groups = Map.groupBy(MADE, groupOf);
	return [
		{ apiGroups: [GROUP], resources: plurals(RESOURCES), verbs: ["get", "list", "watch", "patch"] },
		{ apiGroups: [GROUP], resources: plurals(RESOURCES, "/status"), verbs: ["patch"] },
		// The admission plugin OwnerReferencesPermissionEnforcement, which OpenShift enables, requires
		// it.
		{ apiGroups: [GROUP], resources: plurals(RESOURCES, "/finalizers"), verbs: ["update"] },
		...[...groups].map(([group, kinds]) => ({
			apiGroups: [group],
			resources: plurals(kinds),
			verbs: ["get", "list", "watch", "create", "patch", "delete"],
		})),
		{ apiGroups: [""], resources: [PODS.plural], verbs: ["list", "watch"] },
		{ apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
	];
}

/**
 * Refuses a Function whose runtime or name cannot work, at once. The controller writes the list of
 * runtimes into the ConfigMap.
 */
function policy(): object[] {
	const name = "kubeless-functions";
	const image = "object.spec.?deployment.?spec.?template.?spec.?containers.orValue([])";
	const runtime = "object.spec.?runtime.orValue('')";
	return [
		{
			apiVersion: "admissionregistration.k8s.io/v1",
			kind: "ValidatingAdmissionPolicy",
			metadata: { name },
			spec: {
				failurePolicy: "Fail",
				paramKind: { apiVersion: "v1", kind: "ConfigMap" },
				matchConstraints: {
					resourceRules: [{ apiGroups: [GROUP], apiVersions: ["v1beta1"], operations: ["CREATE", "UPDATE"], resources: ["functions"] }],
				},
				variables: [
					{ name: "runtime", expression: runtime },
					{ name: "known", expression: "params == null ? [] : params.data['runtimes'].split(',')" },
					// A Function with an image of its own may name any runtime, and one that has not changed its
					// runtime may keep it.
					{ name: "image", expression: `size(${image}) > 0 && ${image}[0].?image.orValue('') != ''` },
					{ name: "kept", expression: `oldObject != null && oldObject.spec.?runtime.orValue('') == variables.runtime` },
				],
				validations: [
					{
						expression:
							"variables.runtime == '' || variables.image || variables.kept || size(variables.known) == 0 || variables.runtime in variables.known",
						messageExpression: "'runtime ' + variables.runtime + ' is unknown. Use one of: ' + variables.known.join(', ')",
						reason: "Invalid",
					},
					{
						// The Service has the Function's name.
						expression:
							"oldObject != null || (size(object.metadata.name) <= 63 && object.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$'))",
						message:
							"a Function's name must be at most 63 lower-case letters, digits and dashes, and start with a letter: its Service has that name",
						reason: "Invalid",
					},
				],
			},
		},
		{
			apiVersion: "admissionregistration.k8s.io/v1",
			kind: "ValidatingAdmissionPolicyBinding",
			metadata: { name },
			spec: {
				policyName: name,
				validationActions: ["Deny"],
				// Before the controller has started, nothing is refused.
				paramRef: { name: RUNTIMES_CONFIG_MAP, namespace: NAMESPACE, parameterNotFoundAction: "Allow" },
			},
		},
	];
}

const yaml = (...documents: object[]): string =>
	NOTICE + documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");

/** Returns path and text of all generated files. */
export function generated(): Readonly<Record<string, string>> {
	const role = {
		apiVersion: "rbac.authorization.k8s.io/v1",
		kind: "ClusterRole",
		metadata: { name: "kubeless-controller" },
		rules: rules(),
	};
	return {
		"deploy/base/crds.yaml": yaml(...crds()),
		"deploy/base/role.yaml": yaml(role),
		"deploy/base/policy.yaml": yaml(...policy()),
		"deploy/helm/kubeless/crds/crds.yaml": yaml(...crds()),
		"deploy/helm/kubeless/files/rules.yaml": yaml(rules()),
		"deploy/helm/kubeless/files/policy.yaml": yaml(...policy()),
	};
}

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);

/** Returns the paths of generated files that are not what this would write. */
export const outdated = (): string[] =>
	Object.entries(generated()).flatMap(([path, text]) => {
		try {
			return readFileSync(at(path), "utf8") === text ? [] : [path];
		} catch {
			return [path];
		}
	});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const [path, text] of Object.entries(generated())) writeFileSync(at(path), text);
}
