import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { type Loader, startLoader } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { type Env, type Files, firstOf, WireEnd } from "../../../test/support/wire-end.ts";

export const { missing, candidate } =
	readRuntimes().find(({ id }) => id === "dotnetcore") ?? assert.fail("runtimes/dotnetcore has no conformance functions");
if (missing && process.env["CI"]) throw new Error(missing);

/** Compiled code stays here from one run to the next. */
export const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/dotnetcore", import.meta.url));

/** Returns a C# file with the class `f` around some members. */
export const csharp = (members: string): string => `using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Kubeless.Functions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

public class f
{
${members}
}
`;

/** The line of the first member in the file that `csharp` returns. */
export const FIRST_LINE = 14;

/** Starts a worker without a loader, for the first of the files. */
export const begin = (owner: Owner, files: Files, env: Env = {}): WireEnd =>
	new WireEnd(owner, candidate(), firstOf(owner, files), "handler", { KUBELESS_LOADER_CACHE: CACHE, ...env });

/**
 * Starts a worker without a loader for the class `f` with these members, and waits until it is
 * ready.
 */
export const start = (owner: Owner, members: string, env?: Env): Promise<WireEnd> => begin(owner, { "f.cs": csharp(members) }, env).ready();

export const home = fileURLToPath(new URL("../", import.meta.url));

/** Returns the content of these files of examples/. */
export const examples = (...names: string[]) =>
	Object.fromEntries(names.map((name) => [name, readFileSync(join(home, "examples", name), "utf8")]));

/** Returns the environment of a loader that serves this handler. */
export const env = (handler: string, module = "f") => ({ FUNC_RUNTIME: "dotnetcore3.1", MOD_NAME: module, FUNC_HANDLER: handler });

/** Starts a loader for the class `f` with these members. */
export const serve = (owner: Owner, members: string, more: Record<string, string> = {}): Promise<Loader> =>
	startLoader(owner, { files: { "f.cs": csharp(members) }, env: { ...env("handler"), ...more } });

/** Returns message, names of the handlers, stack and output of a start that fails. */
export async function failure(owner: Owner, files: Record<string, string>, handler = "handler"): Promise<string> {
	const worker = new WireEnd(owner, candidate(), firstOf(owner, files), handler);
	const { message, handlers, stack } = await worker.failed();
	return [message, handlers?.join(", "), stack, worker.stderr].join("\n");
}
