import { fileURLToPath } from "node:url";
import { readRuntimes } from "../../../test/conformance/runtimes.ts";
import { type Loader, startLoader } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";

/** The folder of the runtime, runtimes/java/. */
export const home = fileURLToPath(new URL("../", import.meta.url));

/** Why the tests cannot run on this machine; undefined if they can. */
export const missing = readRuntimes().find(({ id }) => id === "java")?.missing;

/** Variables that select a handler. */
export const env = (name: string, handler: string) => ({ FUNC_RUNTIME: "java17", MOD_NAME: name, FUNC_HANDLER: handler });

/** A class of Kubeless's package with some members. */
export const source = (name: string, members: string) => `package io.kubeless;

import io.kubeless.functions.*;
import java.io.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class ${name} {
${members}
}
`;

/** The line of `source` on which the members begin. */
export const FIRST_LINE = 10;

export interface More {
	/** files beside Foo.java */
	readonly files?: Record<string, string>;
	readonly env?: Record<string, string>;
}

/** Serves the handler `foo` of a class Foo with these members. */
export function serve(owner: Owner, members: string, more: More = {}): Promise<Loader> {
	return startLoader(owner, { files: { "Foo.java": source("Foo", members), ...more.files }, env: { ...env("Foo", "foo"), ...more.env } });
}
