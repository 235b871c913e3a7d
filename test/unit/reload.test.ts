import assert from "node:assert/strict";
import test from "node:test";
import { Reloads } from "../../kubeless-loader/src/reload.ts";

/** Reloads of files whose digest is `files`; a load that ends without failure makes them serve. */
class Fake {
	files = "one";
	served = "one";
	loads = 0;
	failure: unknown;
	readonly reloads = new Reloads({
		state: () => this.files,
		isCurrent: () => this.files === this.served,
		load: async () => {
			this.loads++;
			if (this.failure !== undefined) throw this.failure;
			this.served = this.files;
		},
		ended: () => {},
		retries: false,
	});
}

const ended = () => new Promise(setImmediate);

test("a change that a new worker noticed before the watcher is loaded once", async () => {
	const fake = new Fake();
	fake.files = "two";
	fake.reloads.request();
	await ended();
	fake.reloads.request(); // the watcher waits until the folder is quiet
	await ended();
	assert.equal(fake.loads, 1);
});

test("files that could not be loaded and are changed back are loaded again", async () => {
	const fake = new Fake();
	fake.files = "broken";
	fake.failure = { code: "HANDLER_FAILED_TO_LOAD", message: "broken" };
	fake.reloads.request();
	await ended();
	fake.failure = undefined;
	fake.files = "one";
	fake.reloads.request();
	await ended();
	assert.equal(fake.loads, 2);
});
