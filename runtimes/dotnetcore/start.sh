#!/bin/sh
# Starts the worker for the function KUBELESS_HANDLER_FILE. It is compiled first, if neither compile.sh has done so nor an earlier
# start; so is the worker, if it does not lie beside this script as it does in an image. DOTNET_ROOT names the .NET.
set -eu

home=$(cd "${0%/*}" && pwd)
file=$KUBELESS_HANDLER_FILE
. "$home/dotnet.sh"
folder=${file%/*}
folder=${folder:-/}
volume=${KUBELESS_INSTALL_VOLUME:-$folder}

failed() {
	message=$(printf '%s' "$1" | tr '"\\\n\t' "'/  ")
	printf '{"type":"failed","code":"HANDLER_FAILED_TO_LOAD","message":"%s"}\n' "$message" >&3
	exit 1
}

needs_compiler() {
	find_sdk || failed "$1 has to be compiled, and there is no .NET SDK: run kubeless-compile of the installer image first, or install one (https://dot.net)."
	mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || failed "$1 has to be compiled, and $cache cannot be written: set KUBELESS_LOADER_CACHE to a folder that can."
}

[ -x "$dotnet" ] || failed '.NET is not there: install its SDK (https://dot.net), or set DOTNET_ROOT.'
[ -f "$file" ] || failed "There is no file $file."
[ -s "$file" ] || failed "The file $file is empty."
cache=${KUBELESS_LOADER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kubeless-loader}/compiled

worker=$home/worker
if [ ! -f "$worker/Kubeless.Functions.dll" ]; then
	worker=$cache/dotnet-worker-$(worker_key)
	if [ ! -f "$worker/Kubeless.Functions.dll" ]; then
		needs_compiler 'The worker'
		sh "$home/build.sh" "$worker" >&2 || failed 'The worker cannot be compiled; the compiler has said why.'
	fi
fi

# .NET does not start where it cannot have a socket for its debuggers.
[ -w "${TMPDIR:-/tmp}" ] || export DOTNET_EnableDiagnostics=0 COMPlus_EnableDiagnostics=0

start() {
	exec "$dotnet" "$worker/Kubeless.Functions.dll" "$@" </dev/null
}

publish=$volume/publish
compiled=
[ ! -f "$publish/.sources" ] || read -r compiled <"$publish/.sources"
if [ -z "$compiled" ] || [ "$compiled" != "$(source_key "$folder")" ]; then
	publish=$cache/dotnet-function-$(source_key "$folder" "${file##*/}" "$worker" "$volume")
	if [ ! -d "$publish" ]; then
		needs_compiler "$file"
		place=$publish
		scratch=$(mktemp -d "$place.XXXXXX")
		trap 'rm -rf "$scratch"' EXIT
		trap 'exit 1' HUP INT TERM
		if ! (. "$home/function.sh") >"$scratch/output" 2>&1; then
			# The folders before the names are of no use to anybody.
			words=$(sed -e "s|$folder/||g" -e 's| \[[^]]*proj\]$||' "$scratch/output" | awk '!seen[$0]++' | head -c 4000)
			rm -rf "$scratch"
			start --failed "$words"
		fi
		publish=$place
		# By one rename: what is in its place is whole.
		mv -T "$scratch/publish" "$publish" 2>/dev/null || [ -d "$publish" ] # another one was faster
		rm -rf "$scratch"
		trap - EXIT
	fi
fi

read -r assembly <"$publish/.assembly"
start "$publish/$assembly"
