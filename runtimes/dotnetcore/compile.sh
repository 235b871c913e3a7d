#!/bin/sh
# Kubeless's compilation phase (/app/compile-function.sh $KUBELESS_INSTALL_VOLUME): compiles the
# function in KUBELESS_INSTALL_VOLUME, with or without a project file, into the folder `publish`
# there, together with its dependencies.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
file=
. "$home/dotnet.sh"
find_sdk || { echo "Cannot compile the function: $missing." >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
volume=$scratch

worker=$home/worker
if [ ! -d "$worker" ]; then
	worker=$scratch/worker
	sh "$home/build.sh" "$worker"
fi
key=''
attempt=0
while now=$(source_key "$folder") && [ "$now" != "$key" ]; do # again if a file changed meanwhile
	attempt=$((attempt + 1))
	[ "$attempt" -le "$max_attempts" ] || { echo 'The files of the function change while they are compiled.' >&2; exit 1; }
	key=$now
	rm -rf "${scratch:?}/publish" "${scratch:?}/obj" "${scratch:?}/bin"
	project=$(project_of "$folder")
	[ -z "$project" ] || KUBELESS_INSTALL_VOLUME=$volume KUBELESS_DEPS_FILE=$project sh "$home/install.sh" >&2
	(. "$home/function.sh") >&2
done
printf '%s\n' "$key" >"$scratch/publish/.sources"
# The last step is one rename: a `publish` that exists is complete.
rm -rf "$folder/.publish" "$folder/publish"
cp -R "$scratch/publish" "$folder/.publish"
mv "$folder/.publish" "$folder/publish"
