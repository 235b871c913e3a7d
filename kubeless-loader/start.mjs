// npm start: the example function, or the file given, served from a fresh checkout.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { prepare, root, toolsFirst } from "./checkout.mjs";

const [first, ...rest] = process.argv.slice(2);
const { config } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const given = first !== undefined && !first.startsWith("-");
const file = given ? resolve(process.env.INIT_CWD ?? ".", first) : join(root, config.example);
const options = given || first === undefined ? rest : [first, ...rest];

prepare();
const child = spawn("node", [join(root, "kubeless-loader/bin.mjs"), "run", file, ...options], { env: toolsFirst(), stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
