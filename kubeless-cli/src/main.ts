#!/usr/bin/env node
import process from "node:process";
import { run } from "./program.ts";

declare const CLI_VERSION: string;

// The reader of the output has ended, as in `kubeless function logs x | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
const { env, stdin, stdout, stderr } = process;
const version = typeof CLI_VERSION === "undefined" ? "0.0.0" : CLI_VERSION;
const code = await run(process.argv.slice(2), { env, stdin, stdout, stderr }, version);
// Connections to the API server are kept alive.
stdout.write("", () => process.exit(code || process.exitCode));
