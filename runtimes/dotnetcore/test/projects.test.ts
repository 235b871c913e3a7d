import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder, startLoader } from "../../../test/support/loader.ts";
import type { Owner } from "../../../test/support/owner.ts";
import { csharp, env, FIRST_LINE, failure, home, missing } from "./support.ts";

describe("dotnetcore: projects", { skip: missing ?? false }, () => {
	/** The example with a package, in a folder of its own. */
	const deps = (owner: Owner) => {
		const volume = folder(owner);
		cpSync(join(home, "examples/deps"), volume, { recursive: true });
		return volume;
	};
	const project = (more: string) =>
		`<Project Sdk="Microsoft.NET.Sdk">\n<PropertyGroup><TargetFramework>netcoreapp2.1</TargetFramework></PropertyGroup>\n${more}\n</Project>\n`;
	/** No source of packages, so that no network is asked. */
	const SOURCES = "<configuration><packageSources><clear /></packageSources></configuration>";

	test("a project's packages are used, but Kubeless.Functions is the worker's own, whatever version the project requests", async (t) => {
		const loader = await startLoader(t, { volume: deps(t), env: env("handler", "deps") });
		assert.equal((await loader.ask({ body: "Ada" })).text, "hello Ada, from a package");
	});

	test("an empty project file is ignored, because Kubeless creates one for every function", async (t) => {
		const files = { "f.cs": csharp('	public object handler(Event k8Event, Context k8Context) => "empty";'), "project.csproj": " \n" };
		const loader = await startLoader(t, { files, env: env("handler") });
		assert.equal((await loader.ask()).text, "empty");
		assert.deepEqual(readdirSync(loader.volume).sort(), ["f.cs", "project.csproj"]);
	});

	test("settings and resources of a project apply, whether it is a library, a program or a web application", async (t) => {
		const handler = `	public object handler(Event k8Event, Context k8Context)
	{
#if MINE
		using (var reader = new StreamReader(GetType().Assembly.GetManifestResourceStream("words.txt"))) return reader.ReadToEnd() + GetType().Assembly.GetName().Name;
#endif
	}`;
		const settings = (
			type: string,
		) => `<PropertyGroup><OutputType>${type}</OutputType><AssemblyName>Named</AssemblyName><DefineConstants>MINE</DefineConstants></PropertyGroup>
<ItemGroup><EmbeddedResource Include="words.txt" LogicalName="words.txt" /></ItemGroup>`;
		const files = { "f.cs": csharp(handler), "words.txt": "embedded in ", "nuget.config": SOURCES };
		const library = { ...files, "f.csproj": project(settings("Library")) };
		assert.equal((await (await startLoader(t, { files: library, env: env("handler") })).ask()).text, "embedded in Named");
		const web = project(settings("Exe")).replace("NET.Sdk", "NET.Sdk.Web").replace("2.1", "3.1");
		const program = { ...files, "f.csproj": web, "Main.cs": "class Program { static void Main() { } }" };
		const loader = await startLoader(t, { files: program, env: env("handler") });
		assert.equal((await loader.ask()).text, "embedded in Named");
		assert.deepEqual(readdirSync(loader.volume).sort(), Object.keys(program).sort(), "nothing is left in the function's folder");
	});

	test("a project may be in F#", async (t) => {
		const files = {
			"words.fs": 'module words\nlet word = "two files"\n',
			"f.fs": "module f\nopen Kubeless.Functions\nlet handler (e: Event, c: Context) : obj = box words.word\n",
			"f.fsproj": project(
				'<PropertyGroup><DisableImplicitFSharpCoreReference>true</DisableImplicitFSharpCoreReference></PropertyGroup><ItemGroup><Compile Include="words.fs" /><Compile Include="f.fs" /><Reference Include="FSharp.Core" HintPath="$(MSBuildToolsPath)/FSharp/FSharp.Core.dll" /></ItemGroup>',
			),
			"nuget.config": SOURCES,
		};
		const loader = await startLoader(t, { files, env: env("handler") });
		assert.equal((await loader.ask()).text, "two files");
	});

	test("a compile error in a project is reported with file and line", async (t) => {
		const files = {
			"f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => undefinedName;"),
			"f.csproj": project(""),
			"nuget.config": SOURCES,
		};
		assert.match(await failure(t, files), new RegExp(`f\\.cs\\(${FIRST_LINE},\\d+\\): error CS0103: .*'undefinedName'`));
	});

	test("a package that does not exist is named", async (t) => {
		const wants = project('<ItemGroup><PackageReference Include="No.Such.Package" Version="1.0.0" /></ItemGroup>');
		const files = {
			"f.cs": csharp("	public object handler(Event k8Event, Context k8Context) => 1;"),
			"f.csproj": wants,
			"nuget.config": SOURCES,
		};
		assert.match(await failure(t, files), /f\.csproj : error NU110\d: .*No\.Such\.Package/);
	});
});
