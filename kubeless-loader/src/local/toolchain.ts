import { StartError } from "../errors.ts";
import { expand, type Manifest } from "../manifest.ts";
import type { Commands, Ended } from "./commands.ts";

/**
 * Checks that the machine has the language.
 * @throws {StartError} LANGUAGE_MISSING, with the packages that install it
 */
export async function checkToolchain({ name, folder, toolchain }: Manifest, given: NodeJS.ProcessEnv, commands: Commands): Promise<void> {
	if (!toolchain) return;
	const env = { ...given, RUNTIME_DIR: folder };
	const check = toolchain.check.map((word) => expand(word, env));
	const ended = await commands.run(check, folder, env);
	if (ended.code === 0) return;
	const cure = toolchain.debian ? ` Install it, on Debian: apt-get install ${toolchain.debian.join(" ")}` : " Install it.";
	throw new StartError("LANGUAGE_MISSING", `${name} is not installed${reasonOf(check, ended)}.${cure}`);
}

function reasonOf(check: readonly string[], { error, output }: Ended): string {
	const missing = error?.code === "ENOENT" ? check[0] : /(\S+): (?:command )?not found\s*$/m.exec(output)?.[1];
	if (missing !== undefined) return `: \`${missing}\` was not found`;
	const last = output.trim().split("\n").at(-1);
	return `, or not completely: \`${check.join(" ")}\` fails${last ? ` (${last})` : ""}`;
}
