import { arch, platform } from "node:process";

// An ES module may wait for what it needs before it takes the first call.
const started = await Promise.resolve(new Date());

export function handler() {
	return { platform, arch, started };
}
