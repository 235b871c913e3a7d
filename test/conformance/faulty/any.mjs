/** A function for a real loader: the path of the call selects the conformance handler. */
const handlers = await import("./examples/conformance.mjs");

/** Never answered. */
const hold = () => new Promise(() => {});

export function any(call, env) {
	const name = call.path.slice(1);
	return name === "hold" ? hold() : handlers[name](call, env);
}
