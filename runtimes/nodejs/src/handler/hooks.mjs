// modules.js registers these hooks where Node.js has no registerHooks(). They run in a thread of
// their own.

/** @type {{ parentURL?: string, href?: string, text?: string }} */
let settings = {};

/** @type {import("node:module").InitializeHook<typeof settings>} */
export function initialize(data) {
	settings = data;
}

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, next) {
	const { parentURL, href } = settings;
	if (specifier === href) return { url: href, format: "module", shortCircuit: true };
	try {
		return await next(specifier, context);
	} catch (error) {
		const bare = !/^(?:\.{0,2}\/|[a-z][a-z0-9+.-]*:|#)/i.test(specifier);
		if (parentURL === undefined || /** @type {any} */ (error).code !== "ERR_MODULE_NOT_FOUND" || !bare) throw error;
		try {
			return await next(specifier, { ...context, parentURL });
		} catch {
			throw error;
		}
	}
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, next) {
	const { href, text } = settings;
	if (url !== href || text === undefined) return next(url, context);
	return { format: "module", source: text, shortCircuit: true };
}
