// Prints a patch of Kubeless's ConfigMap kubeless-config that adds these images. docs/kubeless.md
// has the commands.
//   patch.mjs [--registry NAME] [--as OLD=NEW]... < runtime-images
// Standard input is the present runtime-images: entries without a counterpart here stay. --registry
// is the registry of the images (default: kubeless). --as nodejs14=nodejs24 serves functions of the
// runtime nodejs14 with the images of nodejs24.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const options = { registry: { type: "string", default: "kubeless" }, as: { type: "string", multiple: true, default: [] } };
const { registry, as } = parseArgs({ options }).values;

const fail = (message) => {
	console.error(message);
	process.exit(1);
};
const inPlace = (image) => image.replace(/^kubeless\//, `${registry}/`);
const own = JSON.parse(read("images/runtime-images.json"));
const there = process.stdin.isTTY ? [] : parsed(readFileSync(0, "utf8"));

for (const pair of as) {
	const [, id, version, name] =
		/^([a-zA-Z_-]+)([0-9.]+)=(.+)$/.exec(pair) ?? fail(`--as ${pair}: give OLD=NEW, such as nodejs14=nodejs24.`);
	const runtime =
		own.find(({ versions }) => versions.some((one) => one.name === name)) ?? fail(`--as ${pair}: there is no runtime ${name}.`);
	if (runtime.ID !== id) fail(`--as ${pair}: ${id} and ${runtime.ID} are different languages.`);
	const found = runtime.versions.find((one) => one.name === name);
	runtime.versions.push({ ...found, name: id + version, version });
}

const merged = own.map((runtime) => {
	const before = there.find(({ ID }) => ID === runtime.ID) ?? { versions: [] };
	const versions = runtime.versions.map((one) =>
		renewed(
			before.versions.find(({ version }) => version === one.version),
			one,
		),
	);
	const kept = before.versions.filter(({ version }) => versions.every((one) => one.version !== version));
	return { ...before, ...runtime, versions: [...versions, ...kept] };
});
const others = there.filter(({ ID }) => own.every((runtime) => runtime.ID !== ID));
const release = JSON.parse(read("kubeless-loader/package.json")).version;
const data = {
	"runtime-images": JSON.stringify([...merged, ...others], null, 2),
	"provision-image": inPlace(`kubeless/provision:v${release}`),
};
console.log(JSON.stringify({ data }));

/**
 * Returns a version with the fields that a user has added to it, such as pull secrets, and to the
 * images of its phases.
 */
function renewed(before, version) {
	const images = version.images.map((image) => {
		// Drops `env`: it is for the old image.
		const { env: _, ...added } = before?.images.find(({ phase }) => phase === image.phase) ?? {};
		return { ...added, ...image, image: inPlace(image.image) };
	});
	return { ...before, ...version, images };
}

function parsed(text) {
	if (text.trim() === "") return [];
	try {
		return JSON.parse(text);
	} catch (error) {
		return fail(`Standard input is not the JSON of runtime-images: ${error.message}`);
	}
}
