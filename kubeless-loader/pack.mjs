// Before `npm pack`: copies the languages beside the bundle, where the loader finds them in a
// package as it does in an image. After it, with --clean: removes them, because a checkout uses the
// folder runtimes/.
import { cpSync, existsSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const source = join(import.meta.dirname, "../runtimes");
const target = join(import.meta.dirname, "dist/runtimes");
/** Only the development of a language needs these. */
const LEFT_OUT = new Set(["test", "examples", "vectors", "node_modules", "Dockerfile", "build.mjs", "biome.json", "tsconfig.json"]);

rmSync(target, { recursive: true, force: true });
if (!process.argv.includes("--clean")) {
	if (!existsSync(join(source, "nodejs/dist"))) throw new Error("runtimes/nodejs is not built. Run: npm run build");
	cpSync(source, target, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
}
