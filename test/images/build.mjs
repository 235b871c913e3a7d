// Builds the images for all tests that run them: a version of every language, and the images of the
// loader, the provision step, the controller and the consumer of triggers.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../../kubeless-loader/checkout.mjs";
import { makeStandIns } from "./bases/bases.mjs";
import { run, succeeds } from "./command.mjs";
import { findEngine, HOME } from "./engine/engine.mjs";

const OTHERS = ["loader", "provision", "controller", "trigger"];

/**
 * @param {readonly string[]} [languages] only these; default: all
 * @returns the environment for the tests, which names the images; a function that stops the engine;
 * and the reason if there are no images
 */
export function buildImages(languages) {
	let engine;
	try {
		engine = findEngine();
		// The stage `images` renews the stand-ins; for a few languages the ones that are there suffice.
		const areHere = languages && choose(engine, languages).without.length === 0;
		if (engine.own && !areHere) timed("Stand-ins for the public images", () => makeStandIns(engine.env, HOME));
		const list = join(root, "node_modules/.cache/images/built.json");
		mkdirSync(dirname(list), { recursive: true });
		writeFileSync(list, JSON.stringify(build(engine, languages), null, 2));
		return { env: { ...engine.env, KUBELESS_IMAGES: list }, stop: engine.stop };
	} catch ({ message }) {
		console.error(`MISSING: images to test: ${message}`);
		return { env: engine?.env ?? process.env, stop: () => engine?.stop(), missing: message };
	}
}

function build({ env, own }, languages) {
	const { versions, without } = choose({ env, own }, languages);
	const targets = versions.flatMap(({ target, installs }) => (installs ? [target, `${target}-installer`] : [target]));
	targets.unshift(...OTHERS);
	timed(`Images on ${own ? "stand-ins" : "the public images"}: ${targets.join(", ")}`, () =>
		run("docker", ["buildx", "bake", "--progress=plain", ...targets], env),
	);
	return { standIns: own, versions, without };
}

/** Returns a version of every language, and the languages without a stand-in. */
function choose({ env, own }, languages) {
	const { VERSIONS } = JSON.parse(readFileSync(join(root, "docker-bake.json"), "utf8")).variable;
	const isHere = (image) => succeeds("docker", ["image", "inspect", image], env);
	const standsIn = ({ base, installer, args }) => [base, installer, ...Object.values(args)].every(isHere);
	// The newest version of every language, or with stand-ins the version of the stand-in.
	const ids = [...new Set(VERSIONS.default.map(({ id }) => id))].filter((id) => languages?.includes(id) ?? true);
	const versions = ids.flatMap(
		(id) => VERSIONS.default.filter((item) => item.id === id).find(own ? standsIn : ({ newest }) => newest) ?? [],
	);
	return { versions, without: ids.filter((id) => versions.every((version) => version.id !== id)) };
}

function timed(what, work) {
	const start = performance.now();
	work();
	console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
