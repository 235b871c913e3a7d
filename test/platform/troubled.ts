import { ConfigMap } from "../support/configmap.ts";
import { type Loader, startLoader } from "../support/loader.ts";
import type { Owner } from "../support/owner.ts";

const FUNCTION = `
const ways = {
	"/throw": () => { throw new Error("as asked"); },
	"/hang": () => { for (;;); },
	"/exit": () => process.exit(1),
	"/slow": () => new Promise((resolve) => setTimeout(resolve, 300, "slow")),
};
exports.h = ({ extensions: { request } }) => ways[request.path]?.() ?? "fine";
`;
/** Small limits, so that calls reach each of them. */
const SMALL = { FUNC_TIMEOUT: "1", FUNC_QUEUE_LENGTH: "0", FUNC_CONCURRENCY: "1", REQ_MB_LIMIT: "0.01" };

/** Starts a loader and makes calls that fail in all ways, so that every series has values. */
export async function troubled(owner: Owner): Promise<{ loader: Loader; again(): Promise<void> }> {
	const mounted = new ConfigMap(owner, { "f.js": FUNCTION });
	const loader = await startLoader(owner, { volume: mounted.volume, env: { FUNC_RUNTIME: "nodejs", ...SMALL } });
	const again = async () => {
		for (const path of ["/", "/throw", "/hang", "/exit"]) {
			await loader.ask(path);
			await loader.figuresWhen(`a worker after ${path}`, (figures) => figures.of("function_workers_ready") === 1);
		}
		await loader.ask({ body: "x".repeat(20_000) });
		const slow = loader.ask("/slow");
		await loader.figuresWhen("a call in flight", (figures) => figures.inFlight === 1);
		await loader.ask("/");
		await slow;
	};
	await again();
	mounted.update({ "f.js": "this is (no code" });
	await loader.figuresWhen("a failed reload", (figures) => figures.of('function_reloads_total{result="failed"}') >= 1);
	mounted.update({ "f.js": FUNCTION });
	await loader.figuresWhen("a reload", (figures) => figures.of('function_reloads_total{result="taken"}') === 1);
	return { loader, again };
}
