// The list of runtimes: the value `runtime-images` of kubeless-config.
import { parse } from "yaml";
import { type Fields, SpecError } from "./types.ts";

export type Phase = "installation" | "compilation" | "runtime";

export interface RuntimeImage {
	readonly phase: Phase;
	readonly image: string;
	readonly command: string;
	readonly env: Readonly<Record<string, string>>;
	/** Names of Secrets, mounted at /var/run/secrets/kubeless.io/NAME in this phase's container. */
	readonly secrets: readonly string[];
}

export interface Runtime {
	/** As Functions name it: the ID and the version, such as nodejs24. */
	readonly name: string;
	readonly depName: string;
	readonly suffix: string;
	readonly livenessProbe: Fields | undefined;
	readonly readinessProbe: Fields | undefined;
	readonly pullSecrets: readonly string[];
	readonly images: readonly RuntimeImage[];
}

export const imageOf = (runtime: Runtime | undefined, phase: Phase): RuntimeImage | undefined =>
	runtime?.images.find((image) => image.phase === phase);

/**
 * Returns the runtimes of a list in YAML or JSON. Field names are compared without case, as Go's
 * decoder does. Throws a SpecError if the list cannot be read.
 */
export function parseRuntimes(text: string): Runtime[] {
	let list: unknown;
	try {
		list = parse(text);
	} catch (error) {
		throw new SpecError("InvalidConfig", `runtime-images is not YAML: ${(error as Error).message.split("\n", 1)[0]}`);
	}
	return runtimesOf(list);
}

export function runtimesOf(list: unknown): Runtime[] {
	if (!Array.isArray(list)) throw new SpecError("InvalidConfig", "runtime-images must be a list of runtimes.");
	return list.map(fold).flatMap((runtime) =>
		items(runtime, "versions").map((version): Runtime => {
			const id = `${text(runtime, "id")}${text(version, "version")}`;
			if (!/^[a-zA-Z_-]+[0-9.]+$/.test(id)) {
				throw new SpecError(
					"InvalidConfig",
					`runtime-images: "${id}" must be an ID of letters and a version of digits, such as python3.13.`,
				);
			}
			return {
				name: id,
				depName: text(runtime, "depname"),
				suffix: text(runtime, "filenamesuffix"),
				livenessProbe: runtime["livenessprobeinfo"] as Fields | undefined,
				readinessProbe: runtime["readinessprobeinfo"] as Fields | undefined,
				pullSecrets: items(version, "imagepullsecrets").map((secret) => text(secret, "imagesecret")),
				images: items(version, "images").map((image) => ({
					phase: text(image, "phase") as Phase,
					image: text(image, "image"),
					command: text(image, "command"),
					env: (image["env"] ?? {}) as Record<string, string>,
					secrets: items(image, "secrets").map((secret) => text(secret, "name")),
				})),
			};
		}),
	);
}

/**
 * Returns the list with another registry in place of `kubeless/` and images replaced by variables
 * such as PYTHON3.13_RUNTIME.
 */
export function withImages(runtimes: readonly Runtime[], registry: string, overrides: Readonly<Record<string, string>>): Runtime[] {
	return runtimes.map((runtime) => ({
		...runtime,
		images: runtime.images.map((image) => {
			const override = image.phase === "runtime" ? overrides[`${runtime.name.toUpperCase()}_RUNTIME`] : undefined;
			return { ...image, image: override ?? inRegistry(image.image, registry) };
		}),
	}));
}

export const inRegistry = (image: string, registry: string): string =>
	image.startsWith("kubeless/") ? `${registry}/${image.slice("kubeless/".length)}` : image;

function fold(value: unknown): Fields {
	if (typeof value !== "object" || value === null) throw new SpecError("InvalidConfig", "runtime-images: an entry is not an object.");
	return Object.fromEntries(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
}

const items = (value: Fields, field: string): Fields[] => (Array.isArray(value[field]) ? value[field].map(fold) : []);
const text = (value: Fields, field: string): string => (value[field] === undefined || value[field] === null ? "" : String(value[field]));
