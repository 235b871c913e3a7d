import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Cgroup } from "../../kubeless-loader/src/cgroup.ts";
import { folder } from "../support/loader.ts";

const MiB = 1024 * 1024;

for (const [version, files] of Object.entries({
	v2: {
		"memory.max": `${100 * MiB}\n`,
		"memory.current": `${90 * MiB}\n`,
		"memory.stat": `anon 1\ninactive_file ${70 * MiB}\nactive_file 5\n`,
	},
	v1: {
		"memory/memory.limit_in_bytes": `${100 * MiB}\n`,
		"memory/memory.usage_in_bytes": `${90 * MiB}\n`,
		"memory/memory.stat": `inactive_file 3\ntotal_inactive_file ${70 * MiB}\n`,
	},
})) {
	test(`in cgroup ${version}, the page cache that can be dropped does not count as used memory`, (t) => {
		const cgroup = new Cgroup(folder(t, files));
		assert.deepEqual([cgroup.memoryLimit, cgroup.workingSet], [100 * MiB, 20 * MiB]);
	});
}

test("without a limit the machine's memory is the limit, and without a cgroup the usage is unknown", (t) => {
	assert.equal(new Cgroup(folder(t, { "memory.max": "max\n" })).memoryLimit, totalmem());
	const none = new Cgroup(folder(t));
	assert.deepEqual([none.memoryLimit, none.workingSet, none.ranOutOfMemory()], [totalmem(), undefined, false]);
});

test("a process killed for lack of memory is reported once", (t) => {
	const place = folder(t, { "memory.events": "oom 1\noom_kill 1\n" });
	const cgroup = new Cgroup(place);
	assert.equal(cgroup.ranOutOfMemory(), false, "it was killed before the loader started");
	writeFileSync(join(place, "memory.events"), "oom 2\noom_kill 2\n");
	assert.deepEqual([cgroup.ranOutOfMemory(), cgroup.ranOutOfMemory()], [true, false]);
});
