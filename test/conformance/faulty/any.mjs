/** A function that is called at a loader: the path says which conformance handler it is. */
const handlers = await import("./examples/conformance.mjs");

/** Never answered. */
const hold = () => new Promise(() => {});

export function any(call, env) {
	const name = call.path.slice(1);
	return name === "hold" ? hold() : handlers[name](call, env);
}
