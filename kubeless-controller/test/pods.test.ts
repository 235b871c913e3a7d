// Why pods are not ready, by the states that a kubelet of Kubernetes 1.37 reports.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../src/api/types.ts";
import { podProblem } from "../src/pods.ts";

const terminated = { terminated: { exitCode: 1, reason: "Error", message: "SyntaxError in hello.js" } };

const pod = (state: object, restartCount: number, lastState: object = {}): KubeObject => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: { name: "hello" },
	status: { phase: "Running", containerStatuses: [{ name: "hello", ready: false, restartCount, state, lastState }] },
});
const reason = (...args: Parameters<typeof pod>) => podProblem([pod(...args)])?.reason;

describe("a container that ends when it starts", () => {
	test("has crashed after the first time, and while the second start runs", () => {
		assert.equal(reason(terminated, 0), "Crashed");
		assert.equal(reason({ running: {} }, 1, terminated), "Crashed");
	});

	test("is in CrashLoopBackOff from the second time on, about 10 s before the kubelet shows that", () => {
		assert.equal(reason(terminated, 1), "CrashLoopBackOff");
		assert.equal(reason({ waiting: { reason: "CrashLoopBackOff" } }, 1, terminated), "CrashLoopBackOff");
		assert.match(podProblem([pod(terminated, 1)])?.message ?? "", /exit code 1 \(1 restarts\): SyntaxError in hello\.js$/);
	});
});
