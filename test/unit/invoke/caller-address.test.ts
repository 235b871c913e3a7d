import assert from "node:assert/strict";
import type { Socket } from "node:net";
import test from "node:test";
import { callerAddress } from "../../../kubeless-loader/src/invoke/caller-address.ts";

for (const [remoteAddress, expected] of [
	["::ffff:10.0.0.1", "10.0.0.1"],
	["fe80::1", "fe80::1"],
	[undefined, ""],
] as const) {
	test(`the caller's address of a socket from ${remoteAddress} is "${expected}"`, () => {
		assert.equal(callerAddress({ remoteAddress } as Socket), expected);
	});
}
