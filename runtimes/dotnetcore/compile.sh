#!/bin/sh
# Kubeless's compilation phase (/app/compile-function.sh $KUBELESS_INSTALL_VOLUME): compiles the function in KUBELESS_INSTALL_VOLUME, by its project
# file or without one, into publish there, with all it depends on.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
file=
. "$home/dotnet.sh"
find_sdk || { echo 'There is no .NET SDK to compile with.' >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
volume=$scratch

worker=$home/worker
if [ ! -d "$worker" ]; then
	worker=$scratch/worker
	sh "$home/build.sh" "$worker"
fi
project=$(project_of "$folder")
[ -z "$project" ] || KUBELESS_INSTALL_VOLUME=$volume KUBELESS_DEPS_FILE=$project sh "$home/install.sh" >&2
(. "$home/function.sh") >&2
source_key "$folder" >"$scratch/publish/.sources"
# Last, and by one rename.
rm -rf "$folder/.publish" "$folder/publish"
cp -R "$scratch/publish" "$folder/.publish"
mv "$folder/.publish" "$folder/publish"
