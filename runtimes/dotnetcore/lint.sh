#!/bin/sh
# Compiles the worker with all warnings of the compiler and of the SDK's analyzers as errors. Exit
# code 1: findings, 69: the SDK is missing.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
file=
. "$home/dotnet.sh"
find_sdk || { echo "Cannot check the worker: $missing." >&2; exit 69; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
references >"$scratch/options"
# Of SDK 5 and later; SDK 3.1 has analyzers of ASP.NET Core only.
find "$sdk/Sdks" -path '*nalyzers/*' \( -name '*NetAnalyzers.dll' -o -path '*/cs/*.dll' \) | sed 's/^/-analyzer:/' >>"$scratch/options"
# CS1701 and CS1702: an assembly was built against an older version of another one, as MSBuild
# ignores too.
csharp -langversion:8 -warn:4 -warnaserror -nowarn:1701,1702 -target:exe -out:"$scratch/worker.dll" "@$scratch/options" \
	"$home"/src/*.cs "$home"/src/worker/*.cs || exit 1
