// serverless-kubeless against a function that runs: its invoke and logs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callPlugin, installPlugin } from "../serverless.ts";
import { namespace } from "../support.ts";
import type { Context } from "./context.ts";

export function testServerless({ nodejs }: Context): void {
	const plugin = installPlugin();

	test("deployed by serverless-kubeless, is invoked, logged and removed by it", async (t) => {
		const ns = await namespace(t);
		const hello = { id: "hello", handler: "hello.handler", content: "exports.handler = (event) => 'got ' + event.data;", events: [] };
		const deployed = await callPlugin(plugin, "deploy", [hello], nodejs, "service", { namespace: ns });
		assert.match(deployed.log, /Function hello successfully deployed/, deployed.error);
		const invoked = await callPlugin(plugin, "invoke", "hello", "some text", [hello], { namespace: ns });
		assert.equal(invoked.log, "got some text\n", invoked.error);
		const logged = await callPlugin(plugin, "get-logs", "hello", { namespace: ns });
		assert.match(logged.log, /"POST \/ HTTP\/1\.1" 200/, logged.error);
		const removed = await callPlugin(plugin, "remove", [hello], "service", { namespace: ns });
		assert.equal(removed.error, "");
	});
}
