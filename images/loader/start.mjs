// A container's entry: the loader, with what V8 has compiled of it when the image was built. Other users than the image's own have to do without:
// Node.js looks for a folder named after the user.
import { enableCompileCache } from "node:module";

enableCompileCache("/opt/kubeless/compiled");
await import("./loader.mjs");
