// Runs after each npm install: links node_modules/.bin/node to the Node.js that package.json names,
// so that the npm scripts run on it. npm before version 11 does not make this link, because the
// package `node` gets its program only when its install script has run.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const modules = join(import.meta.dirname, "../../node_modules");
const link = join(modules, ".bin/node");
if (!existsSync(link) && existsSync(join(modules, "node/bin/node"))) {
	mkdirSync(join(modules, ".bin"), { recursive: true });
	symlinkSync("../node/bin/node", link);
}
