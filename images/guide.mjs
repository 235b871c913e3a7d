import { existsSync, readFileSync } from "node:fs";

/** The functions in docs/functions.md: names of files in `examples/guide` of each language. */
const NAMES = ["greet", "create", "count", "refuse"];

/**
 * Returns docs/functions.md with its examples, each between <!-- NAME --> and <!-- end of NAME -->.
 */
export function guide(page, manifests, between) {
	const filled = NAMES.reduce((text, name) => between(text, name, examples(name, manifests)), page);
	return between(filled, "dependencies", dependencies(manifests));
}

function examples(name, manifests) {
	return manifests
		.flatMap(({ id, name: language, suffixes }) => {
			const files = suffixes.map((suffix) => new URL(`../runtimes/${id}/examples/guide/${name}${suffix}`, import.meta.url));
			const file = files.find((one) => existsSync(one));
			if (!file) return [];
			const text = readFileSync(file, "utf8").trimEnd();
			return [`${language}:\n\n\`\`\`${file.pathname.split(".").at(-1)}\n${text}\n\`\`\``];
		})
		.join("\n\n");
}

function dependencies(manifests) {
	const rows = manifests
		.filter(({ depsFile }) => depsFile)
		.map(({ id, name, depsFile }) => {
			const example = existsSync(new URL(`../runtimes/${id}/examples/deps`, import.meta.url));
			return `| ${name} | \`${depsFile}\` | ${example ? `[examples/deps](../runtimes/${id}/examples/deps)` : ""} |`;
		});
	return ["| language | dependency file | example |", "|---|---|---|", ...rows].join("\n");
}
