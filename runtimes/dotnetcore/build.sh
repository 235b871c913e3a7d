#!/bin/sh
# Compiles the worker for the .NET that is installed, into the new folder $1. The result,
# Kubeless.Functions.dll, is also what functions are compiled against.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
file=
. "$home/dotnet.sh"
find_sdk || { echo "Cannot compile the worker: $missing." >&2; exit 1; }
mkdir -p "$1"
references >"$1/references"
csharp -langversion:8 -warn:0 -target:exe -out:"$1/Kubeless.Functions.dll" "@$1/references" \
	"$home"/src/*.cs "$home"/src/worker/*.cs >&2
rm "$1/references"
# ASP.NET Core's assemblies are loaded when a function first uses HttpRequest or HttpResponse.
cat >"$1/Kubeless.Functions.runtimeconfig.json" <<END
{
  "runtimeOptions": {
    "tfm": "$framework",
    "framework": { "name": "Microsoft.AspNetCore.App", "version": "$minor.0" },
    "configProperties": { "System.GC.Concurrent": false }
  }
}
END
