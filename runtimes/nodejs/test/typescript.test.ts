import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Files } from "../../../test/support/wire-end.ts";
import { failure, major, minor, since, withWorker } from "./worker.ts";

describe("nodejs: TypeScript", since(18), () => {
	const lib = 'export const greet = (name: string): string => "hi " + name;';

	test("runs with what only a compiler knows, and its stacks name its lines", async (t) => {
		const source = `import { greet } from "./lib";
import type { Stats } from "node:fs";
enum Color { Red = 1, Green }
function loud(_target: unknown, _key: string, property: PropertyDescriptor) {
	const { value } = property;
	property.value = function (...values: unknown[]) { return value.apply(this, values).toUpperCase(); };
}
class Greeter {
	@loud hello(name: string): string { return greet(name) + Color[2]; }
}
interface Event { data: string }
export function h(event: Event, _stats?: Stats): string {
	if (event.data === "boom")
		throw new Error("in TypeScript");
	return new Greeter().hello(event.data);
}
`;
		await withWorker(
			t,
			{ "h.ts": source, "lib.ts": lib, "tsconfig.json": '{"compilerOptions":{"experimentalDecorators":true}}' },
			"h",
			async (worker) => {
				assert.equal((await worker.ask({ body: "you" })).text, "HI YOUGREEN");
				assert.match((await worker.ask({ body: "boom" })).error?.stack ?? "", /h\.ts:14:\d+/);
			},
		);
	});

	test("says where its syntax is wrong", async (t) => {
		assert.match((await failure(t, { "h.ts": "export const h = 1;\nlet x: = 3;" })).message ?? "", /^h\.ts:2:8: Unexpected "="/);
		assert.match((await failure(t, { "h.ts": 'import "./lib";', "lib.ts": "const = 1" })).message ?? "", /^lib\.ts:1:\d+: /);
		assert.match(
			(await failure(t, { "h.ts": 'import "not-there"; export const h = () => 1' })).message ?? "",
			/not-there.*add it to "dependencies"/,
		);
	});

	test("is an ES module where it has to be", async (t) => {
		const modules: [Files, string][] = [
			[
				{ "h.mts": 'import { greet } from "./lib"; export const h = (): string => greet(import.meta.url.slice(-5))', "lib.ts": lib },
				"hi h.mts",
			],
			[{ "h.ts": "const x: string = await Promise.resolve('waited'); export const h = () => x;" }, "waited"],
			[{ "h.ts": "export const h = (): string => import.meta.url.slice(-4);" }, "h.ts"],
			[
				{ "h.ts": "import { sep } from 'path'; export const h = (): string => typeof require + sep;", "package.json": '{"type":"module"}' },
				"function/",
			],
		];
		for (const [files, text] of modules) {
			if (major > 22 || (major === 22 && minor >= 15)) {
				await withWorker(t, files, "h", async (worker) => assert.equal((await worker.ask()).text, text));
			} else assert.match((await failure(t, files)).message ?? "", /needs Node\.js 22\.15/);
		}
		if (major < 22) return;
		await withWorker(t, { "h.mts": "export const h = (): void => {\n\n\tthrow new Error('x');\n}" }, "h", async (worker) => {
			assert.match((await worker.ask()).error?.stack ?? "", /h\.mts:3:\d+/);
		});
	});
});
