import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { poll } from "../../../test/support/poll.ts";
import { type Env, WireEnd } from "../../../test/support/wire-end.ts";
import { begin, CACHE, candidate, csharp, missing, start } from "./support.ts";

const COMPILED = "dotnetcore.compiled";
const returns = (value: string) => csharp(`	public object handler(Event k8Event, Context k8Context) => "${value}";`);

/** A cache that has the worker, but no function. */
async function cacheWithWorker(owner: Owner): Promise<string> {
	await (await start(owner, '	public object handler(Event k8Event, Context k8Context) => "";')).stop();
	const cache = folder(owner);
	mkdirSync(join(cache, COMPILED), { mode: 0o700 });
	for (const name of readdirSync(join(CACHE, COMPILED)).filter((name) => name.startsWith("worker-"))) {
		cpSync(join(CACHE, COMPILED, name), join(cache, COMPILED, name), { recursive: true });
	}
	return cache;
}

/** A .NET that runs a line of shell before it compiles a function. */
function dotnetWith(owner: Owner, line: string): string {
	const real = execFileSync("sh", ["-c", "command -v dotnet"], { encoding: "utf8" }).trim();
	const place = folder(owner, { dotnet: `#!/bin/sh\ncase $* in *out:*function.dll*) ${line} ;; esac\nexec ${real} "$@"\n` });
	chmodSync(join(place, "dotnet"), 0o755);
	return place;
}

const serve = (owner: Owner, file: string, env: Env): WireEnd => new WireEnd(owner, candidate(), file, "handler", env);

describe("dotnetcore: compiled code", { skip: missing ?? false }, () => {
	test("a function that is saved while it is compiled is never kept under its old content", async (t) => {
		const place = folder(t, { "f.cs": returns("old"), "new.txt": returns("new") });
		const file = join(place, "f.cs");
		const cache = await cacheWithWorker(t);
		const saves = dotnetWith(t, `[ ! -e ${place}/new.txt ] || mv ${place}/new.txt ${file}`);
		const first = serve(t, file, { KUBELESS_LOADER_CACHE: cache, DOTNET_ROOT: saves });
		assert.equal((await first.ask()).text, "new");
		writeFileSync(file, returns("old"));
		const second = serve(t, file, { KUBELESS_LOADER_CACHE: cache });
		assert.equal((await second.ask()).text, "old");
	});

	test("a function that changes at every attempt to compile it fails to load, and the message says why", async (t) => {
		const place = folder(t, { "f.cs": returns("old") });
		const saves = dotnetWith(t, `echo '//' >>${place}/f.cs`);
		const worker = serve(t, join(place, "f.cs"), { KUBELESS_LOADER_CACHE: await cacheWithWorker(t), DOTNET_ROOT: saves });
		assert.match((await worker.failed()).message ?? "", /The files of .* change while they are compiled/);
	});

	test("what a killed compiler leaves is removed by the next one", async (t) => {
		const cache = await cacheWithWorker(t);
		const scratches = () => readdirSync(join(cache, COMPILED)).filter((name) => name.startsWith("scratch."));
		const temporary = folder(t);
		const env = { KUBELESS_LOADER_CACHE: cache, TMPDIR: temporary };
		const killed = begin(t, { "f.cs": returns("killed") }, { ...env, DOTNET_ROOT: dotnetWith(t, "sleep 100") });
		await poll(
			() => scratches().length > 0 || undefined,
			() => "nothing is compiled",
			20_000,
		);
		killed.kill();
		await killed.exited;
		assert.equal(scratches().length, 1);
		assert.equal((await begin(t, { "f.cs": returns("next") }, env).ask()).text, "next");
		assert.deepEqual(scratches(), []);
	});

	test("a worker that is killed leaves nothing in the folder for temporary files", async (t) => {
		const temporary = folder(t);
		const worker = begin(t, { "f.cs": returns("killed") }, { TMPDIR: temporary });
		assert.equal((await worker.ask()).text, "killed");
		worker.kill();
		await worker.exited;
		assert.deepEqual(
			readdirSync(temporary).filter((name) => name !== ".dotnet"),
			[],
		);
	});

	describe("a user without a home", () => {
		const homeless = { HOME: null, XDG_CACHE_HOME: null, KUBELESS_LOADER_CACHE: null };
		const own = `kubeless-loader-${process.getuid?.()}`;

		test("the compiled code and the NuGet files of a user without a home are in a folder that no other user can enter", async (t) => {
			const temporary = folder(t);
			assert.equal((await begin(t, { "f.cs": returns("homeless") }, { ...homeless, TMPDIR: temporary }).ask()).text, "homeless");
			assert.equal(statSync(join(temporary, own)).mode & 0o777, 0o700);
			assert.ok(readdirSync(join(temporary, own, COMPILED)).some((name) => name.startsWith("function-")));
			assert.deepEqual(
				readdirSync(temporary).filter((name) => name !== ".dotnet"),
				[own],
			);
		});

		test("code from a folder that other users can write to is not run", async (t) => {
			const temporary = folder(t);
			mkdirSync(join(temporary, own));
			chmodSync(join(temporary, own), 0o777);
			const { message } = await begin(t, { "f.cs": returns("homeless") }, { ...homeless, TMPDIR: temporary }).failed();
			assert.match(message ?? "", /cannot be kept in .*: it is not writable, belongs to another user.*KUBELESS_LOADER_CACHE/);
		});

		test("code from a folder of another user is not run", { skip: process.getuid?.() !== 0 && "needs root" }, async (t) => {
			const cache = folder(t);
			mkdirSync(join(cache, COMPILED), { mode: 0o700 });
			chownSync(join(cache, COMPILED), 12345, 12345);
			const { message } = await begin(t, { "f.cs": returns("mine") }, { KUBELESS_LOADER_CACHE: cache }).failed();
			assert.match(message ?? "", /belongs to another user.*Set KUBELESS_LOADER_CACHE to a folder of your own/);
		});
	});
});
