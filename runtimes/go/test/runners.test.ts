import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { before, describe, test } from "node:test";
import { go, handler, needsGo, start, warmCache } from "./worker.ts";

describe("Go: goroutines", { ...needsGo, concurrency: 1 }, () => {
	before(warmCache);

	test("calls of a fast function run on the reader, also while other processes use every CPU", async (t) => {
		const body = `
	var counters [16]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters[:])])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, ".runAlone") { return "alone", nil }
		if !more { return "reader", nil }
	}`;
		const worker = await start(t, { "f.go": go(handler(body), "runtime", "strings") });
		for (let cpu = 0; cpu < availableParallelism(); cpu++) {
			const hog = spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
			t.after(() => hog.kill("SIGKILL"));
		}
		const count = { alone: 0, reader: 0 };
		for (let wave = 0; wave < 60; wave++) {
			const ids = Array.from({ length: 400 }, () => worker.begin());
			for (const id of ids) count[(await worker.answer(id)).text as keyof typeof count]++;
			worker.frames.length = 0;
		}
		t.diagnostic(JSON.stringify(count));
		// Some are right: the first call of a wave, after the reader was idle. When time without a CPU
		// counted as slow, it was 3 to 5 %; now it is below 1 %.
		assert.ok(count.alone < count.reader / 40, JSON.stringify(count));
	});
});
