import type { Manifest } from "./manifests.ts";

interface SecurityContext {
	readonly [field: string]: unknown;
	readonly capabilities?: { readonly add?: string[]; readonly drop?: string[] };
	readonly seccompProfile?: { readonly type: string };
}

const VOLUMES = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
const HOST = ["hostNetwork", "hostPID", "hostIPC"];

/**
 * Returns the settings of a Deployment's pods that the Pod Security Standard "restricted" forbids,
 * and a writable root file system, which the standard allows.
 * (kubernetes.io/docs/concepts/security/pod-security-standards)
 */
export function refused({ spec, metadata }: Manifest): string[] {
	const pod = spec.template.spec;
	const faults: string[] = [];
	const fault = (where: string, what: string) => faults.push(`${metadata.name}, ${where}: ${what}`);
	for (const field of HOST) if (pod[field]) fault("pod", `${field} is set`);
	for (const volume of pod.volumes ?? []) {
		const type = Object.keys(volume).find((key) => key !== "name") as string;
		if (!VOLUMES.includes(type)) fault(`volume ${volume.name}`, `${type} is not allowed`);
	}
	for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
		const own: SecurityContext = container.securityContext ?? {};
		const of: SecurityContext = { ...pod.securityContext, ...own };
		const wants = (holds: boolean, what: string) => holds || fault(`container ${container.name}`, what);
		wants(of["runAsNonRoot"] === true, "runAsNonRoot is not true");
		wants(of["runAsUser"] !== 0, "runAsUser is 0");
		wants(of["privileged"] !== true, "it is privileged");
		wants(["RuntimeDefault", "Localhost"].includes(of.seccompProfile?.type ?? ""), "no seccompProfile");
		wants(own["allowPrivilegeEscalation"] === false, "allowPrivilegeEscalation is not false");
		wants(own.capabilities?.drop?.includes("ALL") === true, "capabilities are not dropped");
		wants(
			(own.capabilities?.add ?? []).every((name) => name === "NET_BIND_SERVICE"),
			"it adds capabilities",
		);
		wants(own["readOnlyRootFilesystem"] === true, "readOnlyRootFilesystem is not true");
		wants(
			(container.ports ?? []).every((port: { hostPort?: number }) => !port.hostPort),
			"it takes a port of the host",
		);
	}
	return faults;
}
