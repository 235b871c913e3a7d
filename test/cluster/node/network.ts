// The bridge between the node and its pods.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** The network of the pods. The node is its gateway. */
export const SUBNET = "10.244.77.0/24";
export const NODE_ADDRESS = "10.244.77.1";
export const BRIDGE = "kubeless-node";

export const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });

/** Makes the bridge. One that a killed run has left is removed, with the addresses on it. */
export function makeBridge(): void {
	removeBridge();
	ip("link", "add", BRIDGE, "type", "bridge");
	ip("addr", "add", `${NODE_ADDRESS}/24`, "dev", BRIDGE);
	ip("link", "set", BRIDGE, "up");
}

export function removeBridge(): void {
	if (existsSync(`/sys/class/net/${BRIDGE}`)) ip("link", "delete", BRIDGE);
}
