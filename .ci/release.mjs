// npm run release -- --dry-run: makes everything that a release has, in release/, and prints what
// would be pushed. npm run release -- --push: the same, and pushes it. The version is the one in
// package.json.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { prepare, root, toolsFirst } from "../kubeless-loader/checkout.mjs";

const USAGE = `Usage: npm run release -- --dry-run | --push [--images GROUP,…]

  --dry-run         make packages, checksums, SBOMs, the changelog section and the list of image tags; push nothing
  --push            the same; then publish packages, build, push and sign images
  --images GROUP    bake groups or targets to build (default: "default,legacy"; "none" builds no image)

Variables: REGISTRY (first part of image names), PLATFORMS (such as linux/amd64,linux/arm64).
`;
const OUT = join(root, "release");
const read = (path) => readFileSync(join(root, path), "utf8");
const { version, workspaces } = JSON.parse(read("package.json"));

const { values } = parseArgs({
	options: {
		"dry-run": { type: "boolean" },
		push: { type: "boolean" },
		images: { type: "string", default: "default,legacy" },
		help: { type: "boolean", short: "h" },
	},
});
function release(push) {
	prepare();
	rmSync(OUT, { recursive: true, force: true });
	mkdirSync(OUT);
	if (push) assertReleasable();
	const notes = changelogSection();
	writeFileSync(join(OUT, "NOTES.md"), notes);
	const packages = published().map(pack);
	writeFileSync(join(OUT, "SHA256SUMS"), packages.map(({ file, sha256 }) => `${sha256}  ${basename(file)}\n`).join(""));
	const images = imageTags();
	const digests = push ? buildImages(images) : undefined;

	console.log(`Version ${version}\n\n${notes.trim()}\n\nPackages, in release/:`);
	for (const { file, sha256, sbom } of packages) console.log(`  ${basename(file)}  sha256:${sha256}  SBOM ${basename(sbom)}`);
	const commands = [
		...packages.map(({ file }) => ["npm", "publish", file, "--access", "public", "--provenance"]),
		...signatures(images, digests),
		["git", "push", "origin", `v${version}`],
	];
	console.log(`\nImages (${images.length} tags, with SBOM and provenance by bake's attestations):`);
	for (const { tag, digest } of images.map((tag) => ({ tag, digest: digests?.get(tag) }))) {
		console.log(`  ${tag}${digest ? `@${digest}` : ""}`);
	}
	console.log(`\n${push ? "Running" : "Would run"}:`);
	for (const command of [...(push ? [] : [bakeCommand()]), ...commands]) {
		console.log(`  ${command.join(" ")}`);
		if (push) run(command);
	}
}

/** Throws unless the checkout is what the tag says. */
function assertReleasable() {
	if (output(["git", "status", "--porcelain"]) !== "") fail("The checkout has uncommitted changes. Commit them first.");
	if (output(["git", "tag", "--points-at", "HEAD"]).split("\n").includes(`v${version}`)) return;
	fail(`HEAD has no tag v${version}. Make it with: git tag -s v${version}`);
}

/** The changelog's section for this version, else the unreleased one. */
function changelogSection() {
	const sections = read("CHANGELOG.md").split(/^## /m).slice(1);
	const section = sections.find((one) => one.startsWith(`${version} `)) ?? sections.find((one) => one.startsWith("Unreleased"));
	if (section === undefined) fail("CHANGELOG.md has no section to release.");
	return `## ${section}`;
}

/** The workspaces that are published: those that are not private. */
function published() {
	return workspaces.filter((folder) => !folder.includes("*") && JSON.parse(read(join(folder, "package.json"))).private !== true);
}

function pack(folder) {
	const [{ filename }] = JSON.parse(output(["npm", "pack", "--json", "--pack-destination", OUT, "--workspace", folder]));
	const file = join(OUT, filename);
	const sbom = file.replace(/\.tgz$/, ".cdx.json");
	writeFileSync(sbom, output(["npm", "sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--workspace", folder]));
	return { file, sbom, sha256: createHash("sha256").update(readFileSync(file)).digest("hex") };
}

const groups = () => (values.images === "none" ? [] : values.images.split(","));

/** Every tag that bake would push, from the golden file of what bake builds. */
function imageTags() {
	if (groups().length === 0) return [];
	const built = JSON.parse(read("images/golden/images.json"));
	const registry = process.env.REGISTRY ?? "kubeless";
	return Object.values(built)
		.flatMap(({ tags = [] }) => tags)
		.map((tag) => tag.replace(/^kubeless\//, `${registry}/`));
}

const METADATA = join(OUT, "images.json");
const bakeCommand = () => ["docker", "buildx", "bake", "--push", "--metadata-file", METADATA, ...groups()];

/** Builds and pushes the images. @returns {Map<string, string>} the digest of each tag */
function buildImages(tags) {
	if (tags.length === 0) return new Map();
	run(bakeCommand(), { ATTEST: "true", REVISION: output(["git", "rev-parse", "HEAD"]).trim() });
	if (!existsSync(METADATA)) fail("docker buildx bake wrote no metadata file, so the images' digests are unknown.");
	const targets = Object.values(JSON.parse(readFileSync(METADATA, "utf8")));
	return new Map(
		targets.flatMap((target) => (target["image.name"] ?? "").split(",").map((name) => [name, target["containerimage.digest"]])),
	);
}

/** One signature per image digest, keyless: the signer's identity is the workflow's. */
function signatures(tags, digests) {
	const references = tags.map((tag) => `${tag.replace(/:[^:/]*$/, "")}@${digests?.get(tag) ?? "DIGEST"}`);
	return [...new Set(references)].map((reference) => ["cosign", "sign", "--yes", reference]);
}

function run([command, ...args], env = {}) {
	const { status, error } = spawnSync(command, args, { cwd: root, env: { ...toolsFirst(), ...env }, stdio: "inherit" });
	if (status !== 0) fail(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}.`);
}

function output([command, ...args]) {
	const { status, stdout, error } = spawnSync(command, args, {
		cwd: root,
		env: toolsFirst(),
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
		maxBuffer: 64 * 1024 * 1024,
	});
	if (status !== 0) fail(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}.`);
	return stdout;
}

function fail(message) {
	console.error(message);
	process.exit(1);
}

if (values.help) process.stdout.write(USAGE);
else if (Boolean(values["dry-run"]) === Boolean(values.push)) fail("Give either --dry-run or --push. See npm run release -- --help.");
else release(values.push === true);
