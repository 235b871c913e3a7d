/**
 * images/runtime-images.json: the value of `runtime-images` in the ConfigMap kubeless-config, as
 * Kubeless's controller reads it. It joins ID and version to the name in Function specs, and takes
 * that apart again with ^[a-zA-Z_-]+ and [0-9.]+$.
 *
 * Kubeless 1.0 ignores `readinessProbeInfo`. Our controller gives pods that readiness probe.
 */
export function runtimeImages(manifests, loaderVersion) {
	return manifests.map((manifest) => ({
		ID: manifest.id,
		depName: manifest.depsFile ?? "",
		fileNameSuffix: manifest.suffixes?.[0] ?? "",
		readinessProbeInfo: { httpGet: { path: "/readyz" } },
		versions: manifest.versions.map(({ version }) => ({
			name: `${manifest.id}${version}`,
			version,
			images: phases(manifest).map(({ phase, role = "", command }) => ({
				phase,
				image: `kubeless/${manifest.id}${role}:${version}-v${loaderVersion}`,
				...(command && { command }),
			})),
		})),
	}));
}

function phases({ install, compiles }) {
	const role = "-installer";
	const runtime = { phase: "runtime" };
	// The compile phase also installs, so that a function without dependencies needs one container
	// less.
	if (compiles) return [{ phase: "compilation", role, command: "kubeless-compile" }, runtime];
	return install ? [{ phase: "installation", role, command: "kubeless-install" }, runtime] : [runtime];
}
