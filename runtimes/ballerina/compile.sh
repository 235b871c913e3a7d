#!/bin/sh
# Kubeless's compilation phase (/compile-function.sh $KUBELESS_FUNC_NAME): builds
# function/function.jar in KUBELESS_INSTALL_VOLUME from all Ballerina files there, their modules and
# their dependencies. Writes an error to the termination log, too.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
handler=${KUBELESS_FUNC_NAME:-${1:-}}
. "$home/ballerina.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failed() {
	cat "$scratch/output" >&2
	termination=${KUBELESS_TERMINATION_LOG:-/dev/termination-log}
	[ ! -w "$termination" ] || tail -c 4000 "$scratch/output" >"$termination"
	exit 1
}

if ! find_bal; then
	echo 'There is no bal to compile with: install Ballerina (https://ballerina.io/downloads).' >"$scratch/output"
	failed
fi
. "$home/settings.sh"
sh "$home/package.sh" "$folder" '' "$handler" "$scratch" >"$scratch/output" 2>&1 || failed
read -r handler <"$scratch/function/handler"
(cd "$folder" && source_key . '' "$handler") >"$scratch/function/sources"
rm -rf "$folder/.function" "$folder/function"
cp -R "$scratch/function" "$folder/.function"
mv "$folder/.function" "$folder/function"
