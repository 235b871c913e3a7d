// HTTPTrigger: an HTTPRoute where a Gateway is named, else an Ingress. What the chosen kind cannot
// do stands in the status. If it cannot restrict the callers as the trigger demands, no route is
// made.
import { servicePorts } from "../api/function.ts";
import { CREATED_BY, ownAnnotations, ownerOf } from "../api/names.ts";
import { type Fields, type HTTPTrigger, type KubeObject, type Labels, type ObjectMeta, type ServicePort, SpecError } from "../api/types.ts";
import type { Plan } from "../plan.ts";
import { missingFunction, type World } from "./world.ts";

/**
 * Annotation that Kubeless 1.0 and serverless-kubeless use. An Ingress may not have it beside
 * ingressClassName.
 */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

export function planHttpTrigger(trigger: HTTPTrigger, world: World): Plan {
	const { spec, metadata } = trigger;
	if (spec.tls && spec["tls-secret"])
		throw new SpecError("TwoCertificates", "Set either tls (a certificate by ACME) or tls-secret, not both.");
	const fn = world.fn(metadata.namespace, spec["function-name"]);
	if (!fn) return missingFunction(spec["function-name"]);
	const port = servicePorts(fn.spec)[0];
	const gateway = spec.gateway || metadata.annotations?.[CLASS_ANNOTATION] || world.config.gateway;
	return gateway.includes("/") ? route(trigger, gateway, port, world) : ingress(trigger, gateway, port);
}

/** Returns the address under which callers outside reach the function. */
export function triggerUrl({ spec }: HTTPTrigger): string {
	const secure = spec.tls || spec["tls-secret"];
	return `${secure ? "https" : "http"}://${spec["host-name"] || "*"}${pathOf(spec.path)}`;
}

const pathOf = (path = ""): string => `/${path.replace(/^\/+/, "")}`;

function metadataOf(trigger: HTTPTrigger, annotations: Labels): ObjectMeta {
	const { name, namespace, labels } = trigger.metadata;
	return { name, namespace, labels: { ...labels, ...CREATED_BY }, annotations, ownerReferences: [ownerOf(trigger)] };
}

function route(trigger: HTTPTrigger, gateway: string, { port }: ServicePort, { has }: World): Plan {
	const { spec, metadata } = trigger;
	if (!has("HTTPRoute"))
		throw new SpecError("NoGatewayAPI", `gateway "${gateway}" names a Gateway, but the Gateway API is not installed in this cluster.`);
	if (spec["basic-auth-secret"]) {
		throw new SpecError(
			"BasicAuthUnsupported",
			"An HTTPRoute has no basic authentication. Use an Ingress class, or protect the Gateway and remove basic-auth-secret.",
		);
	}
	const [namespace, name] = gateway.split("/", 2);
	const host = spec["host-name"];
	const path = pathOf(spec.path);
	const filters = [
		path !== "/" && { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
		spec["cors-enable"] && { type: "CORS", cors: { allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"] } },
	].filter(Boolean);
	const object: KubeObject = {
		apiVersion: "gateway.networking.k8s.io/v1",
		kind: "HTTPRoute",
		metadata: metadataOf(trigger, ownAnnotations(metadata.annotations)),
		spec: {
			parentRefs: [{ namespace, name }],
			...(host && { hostnames: [host] }),
			rules: [
				{
					matches: [{ path: { type: "PathPrefix", value: path } }],
					...(filters.length > 0 && { filters }),
					backendRefs: [{ name: spec["function-name"], port }],
				},
			],
		},
	};
	const tls = spec.tls || spec["tls-secret"];
	return {
		objects: [object],
		notes: tls ? ["TLS is a matter of the Gateway's listener: tls and tls-secret have no effect on an HTTPRoute."] : [],
	};
}

function ingress(trigger: HTTPTrigger, ingressClassName: string, { port }: ServicePort): Plan {
	const { spec, metadata } = trigger;
	const host = spec["host-name"];
	const secret = spec["tls-secret"] || (spec.tls ? `${metadata.name}-tls` : "");
	const settings = classSettings(trigger, ingressClassName);
	const backend = { service: { name: spec["function-name"], port: { number: port } } };
	const { [CLASS_ANNOTATION]: _, ...own } = ownAnnotations(metadata.annotations);
	const acme: Labels = spec.tls ? { "kubernetes.io/tls-acme": "true" } : {};
	const object: KubeObject = {
		apiVersion: "networking.k8s.io/v1",
		kind: "Ingress",
		metadata: metadataOf(trigger, { ...settings.annotations, ...acme, ...own }),
		spec: {
			...(ingressClassName && { ingressClassName }),
			rules: [{ ...(host && { host }), http: { paths: [{ path: settings.path, pathType: settings.pathType, backend }] } }],
			...(secret && { tls: [{ ...(host && { hosts: [host] }), secretName: secret }] }),
		},
	};
	return { objects: [object], notes: settings.notes };
}

/** What has no field in an Ingress: each controller has annotations of its own. */
function classSettings({ spec }: HTTPTrigger, name: string): { annotations: Labels; notes: string[]; path: string; pathType: string } {
	const path = pathOf(spec.path);
	const auth = spec["basic-auth-secret"];
	const plain = { path, pathType: "Prefix" };
	if (name === "nginx" || name === "") {
		const nginx = (settings: Labels): Labels =>
			Object.fromEntries(Object.entries(settings).map(([setting, value]) => [`nginx.ingress.kubernetes.io/${setting}`, value]));
		const annotations = {
			...(path !== "/" && nginx({ "rewrite-target": "/$2", "use-regex": "true" })),
			...(auth && nginx({ "auth-type": "basic", "auth-secret": auth })),
			...(spec["cors-enable"] && nginx({ "enable-cors": "true" })),
			...((spec.tls || spec["tls-secret"]) && nginx({ "ssl-redirect": "true" })),
		};
		if (auth && name === "") {
			throw new SpecError(
				"BasicAuthUnsupported",
				"basic-auth-secret needs the gateway nginx: for another Ingress class, use its annotations on the trigger.",
			);
		}
		if (path === "/" || name === "") return { annotations: name === "" ? {} : annotations, notes: [], ...plain };
		return { annotations, notes: [], path: `${path.replace(/\/+$/, "")}(/|$)(.*)`, pathType: "ImplementationSpecific" };
	}
	if (auth) {
		const means = name === "traefik" ? "a Middleware" : name === "kong" ? "a KongPlugin" : "its own annotations";
		throw new SpecError(
			"BasicAuthUnsupported",
			`The gateway ${name} needs ${means} for basic authentication. Name it in an annotation of the trigger and remove basic-auth-secret.`,
		);
	}
	const notes = spec["cors-enable"]
		? [`cors-enable has no effect with the gateway ${name}. The runtimes answer CORS requests themselves.`]
		: [];
	if (name === "kong") return { annotations: path === "/" ? {} : { "konghq.com/strip-path": "true" }, notes, ...plain };
	if (path !== "/") notes.push(`The function sees the path ${path} of its calls: the gateway ${name} cannot remove it by the trigger.`);
	return { annotations: {}, notes, ...plain };
}

/** Returns the reason why no Gateway serves the route, or undefined. */
export function routeProblem(route: KubeObject | undefined): { reason: string; message: string } | undefined {
	const status = route?.status as
		| { parents?: { conditions?: (Fields & { type: string; status: string; reason: string; message?: string })[] }[] }
		| undefined;
	const conditions = (status?.parents ?? []).flatMap((parent) => parent.conditions ?? []);
	const refused = conditions.find(({ type, status: value }) => (type === "Accepted" || type === "ResolvedRefs") && value === "False");
	if (refused) return { reason: refused.reason, message: `The Gateway refuses the route: ${refused.message ?? refused.reason}` };
	const accepted = conditions.some(({ type, status: value }) => type === "Accepted" && value === "True");
	return accepted ? undefined : { reason: "WaitingForGateway", message: "No Gateway has accepted the route yet." };
}
