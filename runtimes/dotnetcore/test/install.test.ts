import { execFileSync } from "node:child_process";
import { zip } from "../../../test/images/archive.ts";
import { installs } from "../../../test/installers/registries.ts";
import { PASSWORD, USER } from "../../../test/installers/registry.ts";
import { hash, type Tool, VERSIONS, xml } from "../../../test/installers/tool.ts";

const FUNCTION = `using Kubeless.Functions;

public class f
{
    public object handler(Event k8Event, Context k8Context) => Thing.Version;
}
`;
const path = (version: string) => `/flat/thing/${version}/thing.${version}.nupkg`;
const project = (version: string) =>
	`<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>netcoreapp3.1</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="thing" Version="${version}" /></ItemGroup>
</Project>
`;
const sources = (base: string) =>
	`<configuration><packageSources><clear /><add key="inside" value="${base}/index.json" protocolVersion="3" /></packageSources></configuration>`;
const credentials = (password: string) => `<configuration><packageSourceCredentials><inside>
  <add key="Username" value="${USER}" /><add key="ClearTextPassword" value="${xml(password)}" />
</inside></packageSourceCredentials></configuration>`;

/** A package that brings a source file along, so that none has to be compiled. */
const nupkg = (version: string, bulk: string) =>
	zip({
		"thing.nuspec": `<package><metadata><id>thing</id><version>${version}</version><authors>a</authors><description>d</description></metadata></package>`,
		"build/thing.targets": '<Project><ItemGroup><Compile Include="$(MSBuildThisFileDirectory)Thing.cs" /></ItemGroup></Project>',
		"build/Thing.cs": `public static class Thing { public const string Version = "${version}"; }`,
		"lib/netstandard2.0/_._": "",
		"build/bulk": bulk,
	});

/** The framework's name in a lock file: the SDK's own. */
function framework(): string {
	const env = { ...process.env, DOTNET_CLI_HOME: "/tmp" };
	const [major = "", minor = ""] = execFileSync("dotnet", ["--version"], { encoding: "utf8", env }).split(".");
	return Number(major) < 5 ? `.NETCoreApp,Version=v${major}.${minor}` : `net${major}.${minor}`;
}

const dotnetcore: Tool = {
	id: "dotnetcore",
	depsFile: "project.csproj",
	phase: "install",
	packages(_owner, bulk) {
		const files = VERSIONS.map((version) => [path(version), nupkg(version, bulk)] as const);
		return (base) => ({
			"/index.json": JSON.stringify({ version: "3.0.0", resources: [{ "@id": `${base}/flat/`, "@type": "PackageBaseAddress/3.0.0" }] }),
			"/flat/thing/index.json": JSON.stringify({ versions: VERSIONS }),
			...Object.fromEntries(files),
		});
	},
	files: (base) => ({ "f.cs": FUNCTION, "project.csproj": project("1.*"), "nuget.config": sources(base) }),
	locked: (base, files) => {
		const thing = {
			type: "Direct",
			requested: "[1.*, )",
			resolved: "1.0.0",
			contentHash: hash("sha512", files[path("1.0.0")] as Buffer, "base64"),
		};
		return { ...dotnetcore.files(base), "packages.lock.json": JSON.stringify({ version: 1, dependencies: { [framework()]: { thing } } }) };
	},
	secrets: (_host, password = PASSWORD) => ({ "nuget/nuget.config": credentials(password) }),
	file: path("1.0.0"),
	purl: "pkg:nuget/thing",
	served: { MOD_NAME: "f", FUNC_HANDLER: "handler" },
};

installs(dotnetcore);
