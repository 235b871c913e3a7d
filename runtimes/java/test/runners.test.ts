import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import { PATIENCE_MS } from "../../../test/support/loader.ts";
import { poll } from "../../../test/support/poll.ts";
import { missing, serve } from "./function.ts";

// On which threads calls run, and what one call leaves to the next.

/** A method that counts the worker's threads for calls. */
const THREADS = `	static long threads() {
		return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("call-")).count();
	}`;

describe("java", { skip: missing ?? false }, () => {
	test("a call sees no ThreadLocal, class loader or thread name of an earlier call", async (t) => {
		const members = `	static final ThreadLocal<String> USER = new ThreadLocal<>();
	static final InheritableThreadLocal<String> TENANT = new InheritableThreadLocal<>();
	static { TENANT.set("loaded"); }
	public String foo(Event event, Context context) throws Exception {
		Thread thread = Thread.currentThread();
		boolean own = thread.getContextClassLoader() == Foo.class.getClassLoader() && thread.getName().startsWith("call-");
		String seen = USER.get() + " " + TENANT.get() + " " + own + " " + thread.getPriority();
		USER.set("alice");
		TENANT.set("alice");
		thread.setContextClassLoader(null);
		thread.setName("alice");
		thread.setPriority(Thread.MAX_PRIORITY);
		if (event.Data.equals("slow")) Thread.sleep(20);
		return seen;
	}`;
		const loader = await serve(t, members);
		for (let round = 0; round < 10; round++) {
			const bodies = ["slow", "slow", "fast", "slow", "fast", "fast"];
			const answers = await Promise.all(bodies.map((body) => loader.ask({ body })));
			for (const { text } of answers) assert.equal(text, "null loaded true 5");
		}
	});

	test("a ThreadLocal holds to the end of its call", async (t) => {
		const members = `	static final ThreadLocal<String> USER = ThreadLocal.withInitial(() -> "new");
	public String foo(Event event, Context context) {
		String before = USER.get();
		USER.set(event.Data);
		System.out.println("prints between the two");
		return before + USER.get();
	}`;
		const loader = await serve(t, members);
		for (const body of ["a", "b"]) assert.equal((await loader.ask({ body })).text, `new${body}`);
	});

	test("slow calls run at once, and threads that are not needed any more end", async (t) => {
		const members = `${THREADS}
	static final CountDownLatch ALL = new CountDownLatch(10);
	public String foo(Event event, Context context) throws Exception {
		if (event.Data.equals("threads")) return "" + threads();
		ALL.countDown();
		return "" + ALL.await(10, TimeUnit.SECONDS);
	}`;
		const loader = await serve(t, members, { env: { JAVA_OPTS: "-Dkubeless.idle-ms=50" } });
		const answers = await Promise.all(Array.from({ length: 10 }, () => loader.ask({ body: "wait" })));
		assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set(["true"]));
		let threads = "";
		await poll(
			async () => {
				threads = (await loader.ask({ body: "threads" })).text;
				return Number(threads) <= 2 || undefined;
			},
			() => `there are still ${threads} threads`,
			PATIENCE_MS,
		);
		const again = await Promise.all(Array.from({ length: 10 }, () => loader.ask({ body: "wait" })));
		assert.equal(again.length, 10);
	});

	test("fast calls share a few threads while other processes use every CPU", async (t) => {
		const members = `${THREADS}
	public String foo(Event event, Context context) { return event.Data.isEmpty() ? "hello" : "" + threads(); }`;
		const loader = await serve(t, members);
		for (let i = 0; i < 50; i++) await loader.ask();
		for (let i = 0; i < 2; i++) {
			const hog = spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
			t.after(() => hog.kill("SIGKILL"));
		}
		const caller = async () => {
			for (let i = 0; i < 50; i++) assert.equal((await loader.ask()).text, "hello");
		};
		await Promise.all(Array.from({ length: 32 }, caller));
		const threads = Number((await loader.ask({ body: "threads" })).text);
		// There is 1; were slow calls found by wall time, there would be 33.
		assert.ok(threads <= 16, `${threads} threads`);
	});
});
