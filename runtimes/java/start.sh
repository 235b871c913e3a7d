#!/bin/sh
# Starts the worker for the function KUBELESS_HANDLER_FILE: a .jar, or a .java file that compile.sh
# or an earlier start has compiled; otherwise it is compiled now. So is the worker, unless
# worker.jar is beside this script as in an image. JAVA_HOME selects the Java, JAVA_OPTS has options
# for it, KUBELESS_LOADER_CACHE is the folder for what is compiled.
set -eu

home=$(cd "${0%/*}" && pwd)
file=$KUBELESS_HANDLER_FILE
. "$home/java.sh"
folder=${file%/*}
folder=${folder:-/}
volume=${KUBELESS_INSTALL_VOLUME:-$folder}

failed() {
	message=$(printf '%s' "$1" | tr '"\\\n\t' "'/  ")
	printf '{"type":"failed","code":"HANDLER_FAILED_TO_LOAD","message":"%s"}\n' "$message" >&3
	exit 1
}

# Sets $cache to a folder for compiled code, and $scratch to one inside it. Only this user may write
# to it, as its content is run.
open_cache() {
	[ -x "$javac" ] || failed "$1 must be compiled, and there is no javac. In a pod, run kubeless-compile of the installer image; elsewhere, install a JDK (on Debian: apt-get install default-jdk-headless)."
	base=${KUBELESS_LOADER_CACHE:-}
	if [ -z "$base" ]; then
		caches=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
		if [ -n "$caches" ] && mkdir -p "$caches" 2>/dev/null && [ -O "$caches" ]; then
			base=$caches/kubeless-loader
		else
			base=${TMPDIR:-/tmp}/kubeless-loader-$(id -u)
			mkdir -m 700 "$base" 2>/dev/null || { [ -O "$base" ] && [ ! -L "$base" ]; } ||
				failed "The folder $base is not yours. Set KUBELESS_LOADER_CACHE to a folder of your own."
		fi
	fi
	cache=$base/compiled
	mkdir -p "$base" 2>/dev/null && { [ -d "$cache" ] || mkdir -m 700 "$cache" 2>/dev/null || [ -d "$cache" ]; } && [ -w "$cache" ] ||
		failed "$1 must be compiled, and $cache cannot be written. Set KUBELESS_LOADER_CACHE to a folder that can be written."
	[ -O "$cache" ] && [ ! -L "$cache" ] && chmod 700 "$cache" ||
		failed "The folder $cache belongs to another user. Set KUBELESS_LOADER_CACHE to a folder of your own."
	# Left by a compiler that was killed.
	find "$cache" -mindepth 1 -maxdepth 1 -name 'scratch.*' -mmin +60 -exec rm -rf {} +
	scratch=$(mktemp -d "$cache/scratch.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
	export TMPDIR="$scratch"
}

# Moves compiled code to its place in the cache, by one rename: another process sees all of it or
# nothing.
keep() {
	mv -T "$1" "$2" 2>/dev/null || [ -d "$2" ] # another process was faster
}

build_worker() {
	for attempt in 1 2 3; do
		key=$(worker_key)
		worker=$cache/java-worker-$key
		[ ! -f "$worker/worker.jar" ] || return 0
		rm -rf "$scratch/worker"
		sh "$home/build.sh" "$scratch/worker" >&2 || failed "The worker cannot be compiled. The compiler's message is in the log."
		# The key is only right if nothing changed between the key and the end of the compiler.
		[ "$key" = "$(worker_key)" ] || continue
		keep "$scratch/worker" "$worker"
		sh "$home/train.sh" "$worker"
		return 0
	done
	failed "The worker's sources changed while they were compiled, $attempt times in a row."
}

java_() {
	set -- -jar "$worker/worker.jar" "$@"
	[ ! -f "$worker/worker.jsa" ] || set -- -XX:SharedArchiveFile="$worker/worker.jsa" -Xshare:auto '-Xlog:cds*=off' "$@"
	case "${JAVA_OPTS:-} ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-}" in *-XX:+Use*GC*) ;; *) set -- -XX:+UseSerialGC "$@" ;; esac
	# The heap gets half of the container's memory; the loader and memory outside of the heap need the
	# rest. Several workers share the half. Without -Xms the heap begins with a 64th of the machine's
	# memory, which is filled before the first collection.
	workers=${FUNC_WORKERS:-1}
	[ "$workers" != auto ] || workers=$(nproc)
	# shellcheck disable=SC2086
	exec "$java" -Xms16m -XX:MaxRAMPercentage="$((50 / workers + 1)).0" -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData -Dfile.encoding=UTF-8 \
		${JAVA_OPTS:-} "$@" </dev/null
}

compile_function() {
	class_path "$worker/worker.jar" "$volume"/lib/*.jar "$volume"/lib-compile/*.jar
	for attempt in 1 2 3 4 5; do
		key=$(source_key "$folder" "${file##*/}" "$path")
		classes=$cache/java-function-$key
		[ ! -d "$classes" ] || return 0
		rm -rf "$scratch/classes"
		# It sends `failed` itself.
		"$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -jar "$worker/worker.jar" --compile "$file" "$scratch/classes" "$path" </dev/null || exit 1
		if [ "$key" = "$(source_key "$folder" "${file##*/}" "$path")" ]; then
			keep "$scratch/classes" "$classes"
			return 0
		fi
	done
	failed "The Java files of $folder changed while they were compiled, $attempt times in a row."
}

[ -x "$java" ] || failed 'There is no Java. Install a JDK (on Debian: apt-get install default-jdk-headless), or set JAVA_HOME.'
[ -f "$file" ] || failed "There is no file $file."
[ -s "$file" ] || failed "The file $file is empty."

scratch=
worker=$home
if [ ! -f "$worker/worker.jar" ]; then
	open_cache 'The worker'
	build_worker
fi

case $file in
*.jar)
	own=$file
	set --
	for jar in "$folder"/*.jar; do [ "$jar" = "$file" ] || set -- "$@" "$jar"; done
	;;
*)
	compiled=
	[ ! -f "$volume/function/sources" ] || read -r compiled <"$volume/function/sources"
	if [ -n "$compiled" ] && [ "$compiled" = "$(source_key "$folder")" ]; then
		own=$volume/function/classes
	else
		[ -n "$scratch" ] || open_cache "$file"
		compile_function
		own=$classes/own
		[ ! -d "$classes/others" ] || own=$own:$classes/others
	fi
	set -- "$folder"
	[ ! -d "$folder/src/main/resources" ] || set -- "$@" "$folder/src/main/resources"
	;;
esac
for jar in "$volume"/lib/*.jar; do [ ! -f "$jar" ] || set -- "$@" "$jar"; done

# exec runs no trap.
[ -z "$scratch" ] || rm -rf "$scratch"
java_ "$own" "$@"
