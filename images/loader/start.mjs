// The container's entry point: starts the loader with the code cache that was made when the image
// was built. Only the image's own user gets the cache: Node.js looks for a folder named after the
// user id.
import { enableCompileCache } from "node:module";

// NODE_OPTIONS is for the function: what it preloads is in this process, and not in the one that
// follows, the loader.
const { NODE_OPTIONS } = process.env;
if (NODE_OPTIONS) {
	const env = { ...process.env, KUBELESS_NODE_OPTIONS: NODE_OPTIONS, NODE_OPTIONS: "" };
	process.execve(process.execPath, process.argv, env);
}

enableCompileCache("/opt/kubeless/compiled");
await import("./loader.mjs");
