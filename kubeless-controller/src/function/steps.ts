// The init containers of a function's pod: prepare unpacks the function into /kubeless, install
// fetches its dependencies, compile builds it. Their commands are those of Kubeless 1.0, so that
// installers of other projects keep working.
import { contentOf, digestOf, fileName, sha256, splitHandler } from "../api/function.ts";
import { imageOf, type Runtime, type RuntimeImage } from "../api/runtimes.ts";
import type { Container, EnvVar, Fields, FunctionSpec } from "../api/types.ts";

export const INSTALL_VOLUME = "/kubeless";
const SOURCE_VOLUME = "/src";
const PHASE_SECRETS = "/var/run/secrets/kubeless.io";

export interface StepContext {
	readonly spec: FunctionSpec;
	readonly runtime: Runtime;
	readonly provisionImage: string;
	/** Name of the volume with the function, and of the ConfigMap's. */
	readonly volume: string;
	readonly sourceVolume: string;
	/** The function's own variables: registries and proxies are set by them. */
	readonly env: readonly EnvVar[];
	readonly resources: Fields | undefined;
	readonly securityContext: Fields;
}

export function initContainers(context: StepContext): Container[] {
	return [prepare(context), ...install(context), ...compile(context)];
}

/** Returns the data of the ConfigMap that prepare sees in /src. */
export function configMapData(spec: FunctionSpec, { depName, suffix }: Pick<Runtime, "depName" | "suffix">): Record<string, string> {
	const deps = depName === "" ? {} : { [depName]: spec.deps ?? "" };
	return { handler: spec.handler ?? "", ...deps, [fileName(spec, suffix)]: spec.function ?? "" };
}

function prepare(context: StepContext): Container {
	const { spec, volume, sourceVolume, provisionImage } = context;
	const volumeMounts = [
		{ name: volume, mountPath: INSTALL_VOLUME },
		{ name: sourceVolume, mountPath: SOURCE_VOLUME },
	];
	return container("prepare", provisionImage, prepareCommand(spec, context.runtime), { ...context, volumeMounts });
}

export function prepareCommand(spec: FunctionSpec, { depName, suffix }: Pick<Runtime, "depName" | "suffix">): string {
	const { source, archive, bundlesDeps } = contentOf(spec["function-content-type"]);
	const digest = digestOf(spec.checksum);
	const file = fileName(spec, suffix);
	const origin = source === "base64" ? "/tmp/func.decoded" : source === "url" ? "/tmp/func.fromurl" : `${SOURCE_VOLUME}/${file}`;
	const commands = [
		source === "base64" && `base64 -d < ${SOURCE_VOLUME}/${file} > ${origin}`,
		source === "url" && `curl ${quote(spec.function ?? "")} -L --silent --output ${origin}`,
		digest && `echo '${digest}  ${origin}' > /tmp/func.sha256 && sha256sum -c /tmp/func.sha256`,
		archive === "zip" && `unzip -o ${origin} -d ${INSTALL_VOLUME}`,
		archive === "tar" && `tar xf ${origin} -C ${INSTALL_VOLUME}`,
		archive === "none" && `cp ${origin} ${INSTALL_VOLUME}/${file}`,
		depName !== "" && !bundlesDeps && `cp ${SOURCE_VOLUME}/${depName} ${INSTALL_VOLUME}`,
	];
	return commands.filter(Boolean).join(" && ");
}

function install(context: StepContext): Container[] {
	const { spec, runtime } = context;
	const image = imageOf(runtime, "installation");
	const { bundlesDeps } = contentOf(spec["function-content-type"]);
	const deps = spec.deps ?? "";
	if (!image || (deps === "" && !bundlesDeps)) return [];
	const file = `${INSTALL_VOLUME}/${runtime.depName}`;
	const check = `echo '${sha256(deps)}  ${file}' > /tmp/deps.sha256 && sha256sum -c /tmp/deps.sha256 && `;
	return [
		phase("install", image, `${deps === "" ? "" : check}${image.command}`, context, [
			{ name: "KUBELESS_INSTALL_VOLUME", value: INSTALL_VOLUME },
			{ name: "KUBELESS_DEPS_FILE", value: file },
		]),
	];
}

function compile(context: StepContext): Container[] {
	const image = imageOf(context.runtime, "compilation");
	if (!image) return [];
	return [
		phase("compile", image, image.command, context, [
			{ name: "KUBELESS_INSTALL_VOLUME", value: INSTALL_VOLUME },
			{ name: "KUBELESS_FUNC_NAME", value: splitHandler(context.spec.handler).name },
		]),
	];
}

function phase(name: string, image: RuntimeImage, command: string, context: StepContext, env: readonly EnvVar[]): Container {
	return {
		...container(name, image.image, command, {
			...context,
			volumeMounts: [
				{ name: context.volume, mountPath: INSTALL_VOLUME },
				...image.secrets.map((secret) => ({ name: secretVolume(secret), mountPath: `${PHASE_SECRETS}/${secret}`, readOnly: true })),
			],
		}),
		env: lastOfEach([...context.env, ...env, ...imageEnv(image)]),
		workingDir: INSTALL_VOLUME,
	};
}

type ContainerContext = Pick<StepContext, "resources" | "securityContext"> & { volumeMounts: Fields[] };

function container(name: string, image: string, command: string, context: ContainerContext): Container {
	const { resources, securityContext, volumeMounts } = context;
	return {
		name,
		image,
		imagePullPolicy: "IfNotPresent",
		command: ["sh", "-c"],
		args: [command],
		...(resources && { resources }),
		securityContext,
		// Without a message of its own a failed step reports its last lines of output in the status.
		terminationMessagePolicy: "FallbackToLogsOnError",
		volumeMounts,
	};
}

/** The volumes for the Secrets of a runtime's phases. */
export function secretVolumes({ images }: Runtime): Fields[] {
	const names = new Set(images.filter(({ phase }) => phase !== "runtime").flatMap(({ secrets }) => secrets));
	return [...names].map((secretName) => ({ name: secretVolume(secretName), secret: { secretName } }));
}

const secretVolume = (secret: string): string => `phase-${secret.replaceAll(".", "-")}`.slice(0, 63);

export const imageEnv = (image: RuntimeImage | undefined): EnvVar[] =>
	Object.entries(image?.env ?? {}).map(([name, value]) => ({ name, value: String(value) }));

/**
 * Returns the variables with the last of each name: Kubernetes lets it win, but server-side apply
 * refuses a name that stands twice.
 */
export function lastOfEach(env: readonly EnvVar[]): EnvVar[] {
	return env.filter(({ name }, index) => !env.slice(index + 1).some((later) => later.name === name));
}

/** Returns text as one word of the shell. */
const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
