// The commands of Kubeless's controller (v1.0.8) and its cron trigger: the text of each `sh -c`,
// and the ConfigMap that is mounted at /src.
import { createHash } from "node:crypto";

/** The fields of a Function's spec that the pod's steps depend on. */
export interface FunctionSpec {
	/** `module.handler` */
	readonly handler: string;
	/**
	 * the function's text, base64 of the text or of an archive, or a URL, depending on `contentType`
	 */
	readonly function: string;
	readonly contentType?: string;
	/** `sha256:<hex>`, of the decoded bytes */
	readonly checksum?: string;
	readonly deps?: string;
}

/** The file names of a runtime in the controller's `runtime-images`. */
export interface RuntimeFiles {
	readonly depName: string;
	readonly suffix: string;
}

export const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

const single = new Set(["", "text", "url", "base64"]);

function fileName({ handler, contentType = "" }: FunctionSpec, { suffix }: RuntimeFiles): string {
	const [module = ""] = handler.split(".");
	return single.has(contentType) ? module + suffix : module;
}

/** Returns the files of the ConfigMap, which is mounted at /src in the prepare step only. */
export function configMap(spec: FunctionSpec, runtime: RuntimeFiles): Record<string, string> {
	const deps = runtime.depName === "" ? {} : { [runtime.depName]: spec.deps ?? "" };
	return { handler: spec.handler, [fileName(spec, runtime)]: spec.function, ...deps };
}

export function prepare(spec: FunctionSpec, runtime: RuntimeFiles): string {
	const { contentType = "", checksum = "" } = spec;
	const name = fileName(spec, runtime);
	const steps: string[] = [];
	let origin = `/src/${name}`;
	if (contentType.includes("base64")) {
		steps.push(`base64 -d < ${origin} > /tmp/func.decoded`);
		origin = "/tmp/func.decoded";
	} else if (contentType.includes("url")) {
		origin = "/tmp/func.fromurl";
		steps.push(`curl '${spec.function}' -L --silent --output ${origin}`);
	}
	if (checksum !== "") {
		steps.push(`echo '${checksum.replace("sha256:", "")}  ${origin}' > /tmp/func.sha256`, "sha256sum -c /tmp/func.sha256");
	}
	if (contentType.includes("zip")) steps.push(`unzip -o ${origin} -d /kubeless`);
	else if (contentType.includes("compressedtar")) steps.push(`tar xf ${origin} -C /kubeless`);
	else steps.push(`cp ${origin} /kubeless/${name}`);
	if (runtime.depName !== "" && !contentType.includes("deps")) steps.push(`cp /src/${runtime.depName} /kubeless`);
	return steps.join(" && ");
}

/** Returns the install step around a runtime's command; undefined if there is no command. */
export function install(spec: FunctionSpec, runtime: RuntimeFiles, command: string): string | undefined {
	const { deps = "", contentType = "" } = spec;
	if (deps === "") return contentType.includes("deps") ? command : undefined;
	const check = `echo '${sha256(deps)}  /kubeless/${runtime.depName}' > /tmp/deps.sha256 && sha256sum -c /tmp/deps.sha256`;
	return `${check} && ${command}`;
}

/**
 * Returns the step that makes an image layer from the prepared files, for controllers that build
 * images.
 */
export const bundle = "tar cvf /kubeless/bundle.tar /kubeless/*";

/**
 * Returns a cron job's command, with `$(POD_UID)` replaced as the kubelet does. The pod has no
 * security context: the image's user counts.
 */
export function cron({ url, uid, payload }: { url: string; uid: string; payload?: string }): string {
	const headers = [
		`Event-Id: ${uid}`,
		"Event-Time: $(date --rfc-3339=seconds --utc)",
		"Event-Namespace: cronjobtrigger.kubeless.io",
		"Event-Type: application/json",
		"Content-Type: application/json",
	];
	const data = payload === undefined ? "" : ` -d '${payload}'`;
	return `curl -Lv ${headers.map((header) => `-H "${header}"`).join(" ")} ${url}${data}`;
}
