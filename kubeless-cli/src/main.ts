#!/usr/bin/env node
import module from "node:module";
import process from "node:process";

declare const CLI_VERSION: string;

// Imported later than this line, the program starts from compiled code.
module.enableCompileCache();
const { run } = await import("./program.ts");

// The reader of the output may end first, as in `kubeless function logs hello | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
const { env, stdin, stdout, stderr } = process;
const version = typeof CLI_VERSION === "undefined" ? "0.0.0" : CLI_VERSION;
const code = await run(process.argv.slice(2), { env, stdin, stdout, stderr }, version);
// Connections to the API server are kept alive.
stdout.write("", () => process.exit(code || process.exitCode));
