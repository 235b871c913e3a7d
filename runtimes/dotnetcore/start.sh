#!/bin/sh
# Starts the worker for the function KUBELESS_HANDLER_FILE. Compiles the function first, unless
# compile.sh or an earlier start has done so, and the worker, unless it is beside this script as in
# an image. DOTNET_ROOT names the .NET to use; the one on PATH is the default.
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

cache=
needs_cache() {
	[ -n "$cache" ] || find_cache || failed "Compiled code cannot be kept in $refused: it is not writable, belongs to another user, or other users can write to it. Set KUBELESS_LOADER_CACHE to a folder of your own."
}

needs_compiler() {
	find_sdk || failed "$1 is not compiled, and $missing, or run kubeless-compile of the installer image first."
	make_scratch
}

[ -x "$dotnet" ] || failed '.NET is not installed: install its SDK (https://dot.net), or set DOTNET_ROOT to its folder.'
[ -f "$file" ] || failed "The file $file does not exist."
[ -s "$file" ] || failed "The file $file is empty."

worker=$home/worker
if [ ! -f "$worker/Kubeless.Functions.dll" ]; then
	needs_cache
	key=$(worker_key)
	worker=$cache/worker-$key
	if [ ! -f "$worker/Kubeless.Functions.dll" ]; then
		needs_compiler 'The worker'
		sh "$home/build.sh" "$scratch/worker" >&2 || failed 'The worker cannot be compiled: the log has the messages of the compiler.'
		[ "$(worker_key)" = "$key" ] || failed 'The source of the worker changed while it was compiled: start again.'
		# A rename, so that a folder that exists is complete. It fails if another start was faster.
		mv -T "$scratch/worker" "$worker" 2>/dev/null || [ -f "$worker/Kubeless.Functions.dll" ]
		rm -rf "$scratch"
		trap - EXIT
	fi
fi

start() {
	exec "$dotnet" "$worker/Kubeless.Functions.dll" "$@" </dev/null
}

# Sets $publish, by everything that the result of compiling depends on.
find_publish() {
	key=$(source_key "$folder" "${file##*/}" "$worker" "$volume" "$(cat "$volume"/restored/obj/*/project.assets.json 2>/dev/null || :)")
	publish=$cache/function-$key
}

# Compiles the function into $publish.
compile_function() {
	needs_compiler "$file"
	attempt=0
	while [ ! -d "$publish" ]; do
		attempt=$((attempt + 1))
		[ "$attempt" -le "$max_attempts" ] || failed "The files of $folder change while they are compiled. Start again when they are complete."
		before=$publish
		rm -rf "${scratch:?}"/*
		status=0
		(. "$home/function.sh") >"$scratch/output" 2>&1 || status=$?
		# Compilers read the files later than source_key does.
		find_publish
		[ "$publish" = "$before" ] || continue
		if [ "$status" != 0 ]; then
			# Without the folders before the names, and without repetitions.
			messages=$(sed -e "s|$folder/||g" -e 's| \[[^]]*proj\]$||' "$scratch/output" | awk '!seen[$0]++' | head -c 4000)
			rm -rf "$scratch"
			start --failed "$messages"
		fi
		mv -T "$scratch/publish" "$publish" 2>/dev/null || [ -d "$publish" ]
	done
	rm -rf "$scratch"
	trap - EXIT
}

publish=$volume/publish
compiled=
[ ! -f "$publish/.sources" ] || read -r compiled <"$publish/.sources"
if [ -z "$compiled" ] || [ "$compiled" != "$(source_key "$folder")" ]; then
	needs_cache
	find_publish
	[ -d "$publish" ] || compile_function
fi

read -r assembly <"$publish/.assembly"
start "$publish/$assembly"
