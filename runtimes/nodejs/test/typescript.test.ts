import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Files } from "../../../test/support/wire-end.ts";
import { failure, major, minor, since, withWorker } from "./worker.ts";

describe("nodejs: TypeScript", since(18), () => {
	const lib = 'export const greet = (name: string): string => "hi " + name;';

	test("enums, decorators and types are compiled, and stacks name the lines of the .ts file", async (t) => {
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

	test("a syntax error is reported with file and line", async (t) => {
		assert.match((await failure(t, { "h.ts": "export const h = 1;\nlet x: = 3;" })).message ?? "", /^h\.ts:2:8: Unexpected "="/);
		assert.match((await failure(t, { "h.ts": 'import "./lib";', "lib.ts": "const = 1" })).message ?? "", /^lib\.ts:1:\d+: /);
		assert.match(
			(await failure(t, { "h.ts": 'import "not-there"; export const h = () => 1' })).message ?? "",
			/not-there.*add it to "dependencies"/,
		);
	});

	test("each file keeps its own __dirname, __filename and import.meta", async (t) => {
		const place = (name: string) => `export const ${name}: string = [__dirname, __filename, import.meta.url, import.meta.dirname].join();`;
		const files = {
			"h.ts": `import { one } from "./lib/one";\nimport { two } from "./lib/deep/two.js";\n${place("own")}\nexport const h = (event: { data: string }) => { if (event.data === "boom") one.boom(); return [own, one.place, two]; };`,
			"lib/one.ts": `${place("place")}\nexport const one = {\n\tplace,\n\tboom(): never {\n\t\tthrow new Error("boom");\n\t},\n};`,
			"lib/deep/two.ts": place("two"),
			"tsconfig.json": '{"compilerOptions":{"strict":true}}',
		};
		const modules = major > 18 || minor >= 19 ? [files, { "h.mts": files["h.ts"], ...files }] : [files];
		for (const kind of modules) {
			await withWorker(t, kind, "h", async (worker) => {
				const seen = JSON.parse((await worker.ask()).text);
				const wanted = [Object.keys(kind)[0] ?? "", "lib/one.ts", "lib/deep/two.ts"].map((file) => {
					const path = join(realpathSync(worker.folder), file);
					return [dirname(path), path, pathToFileURL(path).href, dirname(path)].join();
				});
				assert.deepEqual(seen, wanted);
				assert.match((await worker.ask({ body: "boom" })).error?.stack ?? "", /lib\/one\.ts:5:\d+/);
			});
		}
	});

	test("emitDecoratorMetadata needs the function's own TypeScript, and the message says so", async (t) => {
		const source = `const known = (_: unknown): void => {};
class Dep {}
@known
class Service { constructor(readonly dep: Dep) {} }
export const h = (): string => (Reflect as any).getMetadata?.("design:paramtypes", Service)[0].name;`;
		const on = '{"compilerOptions":{"experimentalDecorators":true,/* for TypeORM */"emitDecoratorMetadata":true}}';
		const wanted = /^h\.ts: "emitDecoratorMetadata" in (?:base|tsconfig)\.json needs.*add "typescript": "5" to "dependencies"/;
		assert.match((await failure(t, { "h.ts": source, "tsconfig.json": on })).message ?? "", wanted);
		const extended = { "h.ts": source, "tsconfig.json": '{"extends":"./base.json"}', "base.json": on };
		assert.match((await failure(t, extended)).message ?? "", wanted);
		// A compiler that was installed is asked for the metadata; this one adds them as TypeScript 5
		// does.
		const compiler = {
			"node_modules/typescript/index.js": `
				exports.sys = {}; exports.ModuleKind = { ESNext: 99 }; exports.ScriptTarget = { ES2022: 9 };
				exports.readConfigFile = () => ({ config: {} });
				exports.parseJsonConfigFileContent = () => ({ options: { emitDecoratorMetadata: true } });
				exports.transpileModule = (source, { fileName, compilerOptions }) => ({ outputText: compilerOptions.emitDecoratorMetadata && fileName.endsWith("h.ts") ? 'export const h = () => "Dep " + __dirname.length;' : "" });
			`,
		};
		await withWorker(t, { "h.ts": `${source} // __dirname`, "tsconfig.json": on, ...compiler }, "h", async (worker) => {
			assert.equal((await worker.ask()).text, `Dep ${realpathSync(worker.folder).length}`);
		});
		await withWorker(t, { "h.ts": "export const h = () => 'no decorator';", "tsconfig.json": on }, "h", async (worker) => {
			assert.equal((await worker.ask()).text, "no decorator");
		});
	});

	test("a file is an ES module if its name, its package.json or its text says so", async (t) => {
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
			if (major > 18 || minor >= 19) {
				await withWorker(t, files, "h", async (worker) => assert.equal((await worker.ask()).text, text));
			} else assert.match((await failure(t, files)).message ?? "", /needs Node\.js 18\.19/);
		}
		if (major < 20) return;
		await withWorker(t, { "h.mts": "export const h = (): void => {\n\n\tthrow new Error('x');\n}" }, "h", async (worker) => {
			assert.match((await worker.ask()).error?.stack ?? "", /h\.mts:3:\d+/);
		});
	});
});
