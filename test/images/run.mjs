// npm run test:images: builds the images and tests them, with Docker. Arguments name test files to
// run instead of all. npm run bench:images: builds the images and measures the start of their
// containers.
import { spawnSync } from "node:child_process";
import { prepare, root } from "../../kubeless-loader/checkout.mjs";
import { runTests } from "../run/node-test.mjs";
import { buildImages } from "./build.mjs";

prepare();
const { env, stop, missing } = buildImages();
const [first, ...others] = process.argv.slice(2);
const work = () => {
	if (first === "--bench") return spawnSync("node", ["test/images/start.ts", ...others], { cwd: root, env, stdio: "inherit" }).status ?? 1;
	return runTests("images", first === undefined ? ["test/images/*.test.ts"] : [first, ...others], env).status;
};
const status = missing ? 1 : work();
stop();
process.exit(status);
