#!/bin/sh
# Compiles the worker into the folder $1, for the .NET that is here: Kubeless.Functions.dll, which is also what functions are
# compiled against.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
file=
. "$home/dotnet.sh"
find_sdk || { echo 'There is no .NET SDK to compile the worker with.' >&2; exit 1; }
fresh=$1.$$
rm -rf "$fresh"
mkdir -p "$fresh"
trap 'rm -rf "$fresh"' EXIT

references >"$fresh/references"
csharp -langversion:8 -target:exe -out:"$fresh/Kubeless.Functions.dll" "@$fresh/references" "$home"/src/*.cs "$home"/src/worker/*.cs >&2
rm "$fresh/references"
# ASP.NET Core for its HttpRequest; it is loaded when a function asks for one.
cat >"$fresh/Kubeless.Functions.runtimeconfig.json" <<END
{
  "runtimeOptions": {
    "tfm": "$framework",
    "framework": { "name": "Microsoft.AspNetCore.App", "version": "$minor.0" },
    "configProperties": { "System.GC.Concurrent": false }
  }
}
END
# By one rename: what is in its place is whole. If two build at once, the first one's stays.
mv -T "$fresh" "$1" 2>/dev/null || [ -f "$1/Kubeless.Functions.dll" ]
