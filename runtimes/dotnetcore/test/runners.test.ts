import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import type { Call, WireEnd } from "../../../test/support/wire-end.ts";
import { missing, start } from "./support.ts";

/** Occupies the CPUs until the test ends. */
function occupyCpus(owner: Owner, count: number): void {
	for (let i = 0; i < count; i++) {
		const hog = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
		owner.after(() => void hog.kill("SIGKILL"));
	}
}

/** Sends calls at once, and waits for all answers. */
async function together(worker: WireEnd, count: number, call: Call = {}): Promise<string[]> {
	const ids = Array.from({ length: count }, () => worker.begin(call));
	const answers: string[] = [];
	for (const id of ids) answers.push((await worker.answer(id)).text);
	return answers;
}

describe("dotnetcore: runners", { skip: missing ?? false }, () => {
	test("a fast function stays on two threads while other processes occupy every CPU", async (t) => {
		const members = `
	static readonly HashSet<int> Threads = new HashSet<int>();
	public object handler(Event k8Event, Context k8Context)
	{
		lock (Threads)
		{
			var count = Threads.Count;
			if (k8Event.Bytes.Length > 0) Threads.Clear();
			Threads.Add(Thread.CurrentThread.ManagedThreadId);
			return count;
		}
	}`;
		const worker = await start(t, members);
		occupyCpus(t, 4);
		// .NET compiles the code during the first windows, which takes CPU time inside calls.
		const windows: number[] = [];
		for (let window = 0; window < 6; window++) {
			await together(worker, 1, { body: "clear" });
			for (let round = 0; round < 40; round++) {
				const from = worker.frames.length;
				const ids = new Set(Array.from({ length: 32 }, () => worker.begin()));
				await worker.until(({ line }) => ids.delete(line.id ?? 0) && ids.size === 0, from);
			}
			windows.push(Number((await together(worker, 1))[0]));
		}
		const quiet = windows.filter((threads) => threads <= 2);
		assert.ok(quiet.length >= 3, `threads that ran calls, by window: ${windows}`);
	});

	const MEET = `
	static readonly List<Thread> Threads = new List<Thread>();
	static readonly CountdownEvent All = new CountdownEvent(20);
	public object handler(Event k8Event, Context k8Context)
	{
		lock (Threads)
		{
			if (k8Event.Extensions.HttpRequest.Path == "/alive") return Threads.Count(thread => thread.IsAlive);
			Threads.Add(Thread.CurrentThread);
		}
		All.Signal();
		All.Wait();
		return "met";
	}`;

	test("calls that block run at the same time, each on a thread, and the threads exit when they are idle", async (t) => {
		const worker = await start(t, MEET, { KUBELESS_IDLE_RUNNER_MS: "200" });
		assert.deepEqual(new Set(await together(worker, 20)), new Set(["met"]));
		const alive = async () => Number((await together(worker, 1, { path: "/alive" }))[0]);
		await poll(
			async () => (await alive()) <= 2 || undefined,
			() => "more than two of the threads are alive",
			20_000,
		);
	});

	test("a call that computes without end does not keep the next call waiting", async (t) => {
		const members = `
	static volatile bool over;
	public object handler(Event k8Event, Context k8Context)
	{
		if (k8Event.Extensions.HttpRequest.Path == "/end") over = true;
		while (!over) { }
		return "over";
	}`;
		const worker = await start(t, members);
		const computing = worker.begin();
		assert.equal((await worker.answer(worker.begin({ path: "/end" }))).text, "over");
		assert.equal((await worker.answer(computing)).text, "over");
	});

	test("AsyncLocal values, the culture and the principal that one call sets do not reach the next one", async (t) => {
		const members = `
	static readonly AsyncLocal<string> Left = new AsyncLocal<string>();
	public object handler(Event k8Event, Context k8Context)
	{
		var before = Left.Value + "|" + System.Globalization.CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator
			+ "|" + Thread.CurrentPrincipal?.Identity.Name + "|" + SynchronizationContext.Current;
		Left.Value = "left";
		System.Globalization.CultureInfo.CurrentCulture = new System.Globalization.CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "_" } };
		Thread.CurrentPrincipal = new System.Security.Principal.GenericPrincipal(new System.Security.Principal.GenericIdentity("Ada"), new string[0]);
		SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
		return before;
	}`;
		const worker = await start(t, members);
		for (let i = 0; i < 10; i++) assert.deepEqual(await together(worker, 1), ["|.||"]);
	});

	test("ProcessExit handlers run when the worker stops, also if they take longer than a second", async (t) => {
		const place = folder(t);
		const members = `
	public f()
	{
		AppDomain.CurrentDomain.ProcessExit += (sender, e) =>
		{
			Thread.Sleep(1500);
			File.WriteAllText(Environment.GetEnvironmentVariable("PLACE") + "/closed", "closed");
			Console.WriteLine("closed");
		};
	}
	public object handler(Event k8Event, Context k8Context) => "served";`;
		const worker = await start(t, members, { PLACE: place });
		assert.equal((await worker.ask()).text, "served");
		assert.equal(await worker.stop(), 0);
		assert.ok(existsSync(join(place, "closed")), "the handler was cut off");
		assert.equal(readFileSync(join(place, "closed"), "utf8"), "closed");
		assert.equal(worker.printed(), "closed\n");
	});
});
