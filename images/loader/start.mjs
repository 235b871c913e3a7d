// The container's entry point: starts the loader with the code cache that was made when the image was built. Only the image's own
// user gets the cache: Node.js looks for a folder named after the user id.
import { enableCompileCache } from "node:module";

enableCompileCache("/opt/kubeless/compiled");
await import("./loader.mjs");
