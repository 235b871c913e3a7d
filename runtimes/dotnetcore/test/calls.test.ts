import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FIRST_LINE, missing, serve } from "./support.ts";

describe("dotnetcore: running calls", { skip: missing ?? false }, () => {
	test("the deadline and a caller that leaves cancel the token and abort the request", async (t) => {
		const members = `
	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		if ((string)k8Event.Data == "warm") return "warm";
		var token = (string)k8Event.Data == "request" ? k8Event.Extensions.HttpRequest.HttpContext.RequestAborted : k8Context.CancellationToken;
		if ((string)k8Event.Data == "request") Console.WriteLine("waits");
		try
		{
			await Task.Delay(600000, token);
		}
		catch (OperationCanceledException)
		{
			Console.WriteLine("cancelled " + k8Event.Data);
			throw;
		}
		return "slept";
	}`;
		const loader = await serve(t, members, { FUNC_TIMEOUT: "5" });
		await loader.ask({ body: "warm" }); // .NET compiles the handler at its first call
		assert.equal((await loader.ask({ body: "deadline" })).status, 408);
		await loader.said(({ msg }) => msg === "cancelled deadline");
		const gone = new AbortController();
		const call = loader.ask({ body: "request", signal: gone.signal });
		const rejected = assert.rejects(call);
		await loader.said(({ msg }) => msg === "waits");
		gone.abort();
		await rejected;
		await loader.said(({ msg }) => msg === "cancelled request");
		assert.equal((await loader.figures()).sum("function_worker_exits_total"), 0, "a worker was replaced");
	});

	test("a caller that leaves interrupts the sleeping thread of its own call, and no other", async (t) => {
		const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		if ((string)k8Event.Data == "long") Console.WriteLine("sleeps");
		try
		{
			Thread.Sleep((string)k8Event.Data == "long" ? 600000 : 2);
			return "slept";
		}
		catch (ThreadInterruptedException)
		{
			Console.WriteLine("interrupted");
			throw;
		}
	}`;
		const loader = await serve(t, members);
		const gone = new AbortController();
		const call = loader.ask({ body: "long", signal: gone.signal });
		const rejected = assert.rejects(call);
		await loader.said(({ msg }) => msg === "sleeps");
		gone.abort();
		await rejected;
		await loader.said(({ msg }) => msg === "interrupted");
		for (let i = 0; i < 30; i++) assert.equal((await loader.ask()).text, "slept");
		assert.equal(loader.records.filter(({ msg }) => msg === "interrupted").length, 1);
	});

	test("output of tasks and threads of a call names the call, also without a line break", async (t) => {
		const members = `
	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		await Task.Run(() => Console.Write("half "));
		var thread = new Thread(() => Console.WriteLine("a line"));
		thread.Start();
		thread.Join();
		Console.Error.Write("no break");
		return "printed";
	}`;
		const loader = await serve(t, members);
		await loader.ask();
		const whole = await loader.said(({ msg }) => msg === "half a line");
		const rest = await loader.said(({ msg }) => msg === "no break");
		assert.deepEqual([whole.stream, rest.stream], ["stdout", "stderr"]);
		assert.ok(whole["call"] !== undefined && whole["call"] === rest["call"]);
	});

	test("the stack of an exception has the user's file and line, and no frame of the worker", async (t) => {
		const members = `	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		await Task.Yield();
		throw new InvalidOperationException("outer", new ArgumentException("inner"));
	}`;
		const loader = await serve(t, members);
		assert.equal((await loader.ask()).status, 500);
		const { msg, stack } = await loader.said(({ code }) => code === "FUNCTION_THREW");
		assert.equal(msg, "System.InvalidOperationException: outer");
		assert.match(String(stack), new RegExp(`ArgumentException: inner[^]*at f\\.handler.*f\\.cs:line ${FIRST_LINE + 3}`));
		assert.doesNotMatch(String(stack), /Kubeless\.Worker/);
	});

	test("Environment.Exit, and an exception on a thread of the function, end the process, and another one takes over", async (t) => {
		const members = `
	public object handler(Event k8Event, Context k8Context)
	{
		if ((string)k8Event.Data == "exit") Environment.Exit(3);
		if ((string)k8Event.Data == "thread") { new Thread(() => throw new Exception("on a thread of its own")).Start(); Thread.Sleep(20000); }
		return "fine";
	}`;
		const loader = await serve(t, members);
		for (const body of ["exit", "thread"]) {
			assert.equal((await loader.ask({ body })).status, 502);
			assert.equal((await loader.ask()).text, "fine");
		}
		await loader.said(({ msg }) => /on a thread of its own/.test(msg ?? ""));
	});
});
