import { ask } from "../support/ask.ts";
import type { Runtime, Skipped } from "./runtimes.ts";
import { loaderSpec, start } from "./servers.ts";

/**
 * Returns the runtimes that serve hello. Adds one note for each of the others, so that scenarios do
 * not repeat it.
 */
export async function tryOut(runtimes: readonly Runtime[]): Promise<{ able: Runtime[]; skipped: Skipped[] }> {
	const able: Runtime[] = [];
	const skipped: Skipped[] = [];
	for (const runtime of runtimes) {
		const why = await fault(runtime);
		if (why === undefined) able.push(runtime);
		else skipped.push({ what: runtime.id, why });
	}
	return { able, skipped };
}

async function fault({ id, hello }: Runtime): Promise<string | undefined> {
	try {
		const server = await start(loaderSpec(id, hello));
		const { status, text } = await ask(server.port, {});
		await server.stop();
		return status === 200 ? undefined : `it answers a greeting with ${status} ${JSON.stringify(text)}`;
	} catch (error) {
		return (error as Error).message;
	}
}
