#!/bin/sh
# Starts the worker for the function KUBELESS_HANDLER_FILE. A .java file is compiled first, if neither compile.sh has done so
# nor an earlier start; so is the worker, if it does not lie beside this script as it does in an image.
# JAVA_HOME names the Java, JAVA_OPTS has options for it.
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

needs_compiler() {
	[ -x "$javac" ] || failed "$1 has to be compiled, and there is no javac: run kubeless-compile of the installer image first, or install a JDK (on Debian: apt-get install default-jdk-headless)."
	mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || failed "$1 has to be compiled, and $cache cannot be written: set KUBELESS_LOADER_CACHE to a folder that can."
}

[ -x "$java" ] || failed 'Java is not there: install a JDK (on Debian: apt-get install default-jdk-headless), or set JAVA_HOME.'
[ -f "$file" ] || failed "There is no file $file."
[ -s "$file" ] || failed "The file $file is empty."
cache=${KUBELESS_LOADER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kubeless-loader}/compiled

worker=$home
if [ ! -f "$worker/worker.jar" ]; then
	worker=$cache/java-worker-$(worker_key)
	if [ ! -f "$worker/worker.jar" ]; then
		needs_compiler 'The worker'
		sh "$home/build.sh" "$worker" >&2 || failed 'The worker cannot be compiled; the compiler has said why.'
	fi
fi

start() {
	set -- -jar "$worker/worker.jar" "$@"
	[ ! -f "$worker/worker.jsa" ] || set -- -XX:SharedArchiveFile="$worker/worker.jsa" -Xshare:auto '-Xlog:cds*=off' "$@"
	case "${JAVA_OPTS:-} ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-}" in *-XX:+Use*GC*) ;; *) set -- -XX:+UseSerialGC "$@" ;; esac
	# The other half of the container's memory is for what is no heap, and for the loader; several workers share. Java itself
	# would begin with a 64th of the machine's memory, and fill that before it looks for what can go.
	workers=${FUNC_WORKERS:-1}
	[ "$workers" != auto ] || workers=$(nproc)
	# shellcheck disable=SC2086
	exec "$java" -Xms16m -XX:MaxRAMPercentage="$((50 / workers + 1)).0" -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData -Dfile.encoding=UTF-8 \
		${JAVA_OPTS:-} "$@" </dev/null
}

case $file in
*.jar)
	set -- "$file"
	for jar in "$folder"/*.jar "$volume"/lib/*.jar; do [ ! -f "$jar" ] || [ "$jar" = "$file" ] || set -- "$@" "$jar"; done
	start "$@"
	;;
esac

classes=$volume/function/classes
compiled=
[ ! -f "$volume/function/sources" ] || read -r compiled <"$volume/function/sources"
if [ -z "$compiled" ] || [ "$compiled" != "$(source_key "$folder")" ]; then
	class_path "$worker/worker.jar" "$volume"/lib/*.jar "$volume"/lib-compile/*.jar
	classes=$cache/java-function-$(source_key "$folder" "${file##*/}" "$path")
	if [ ! -d "$classes" ]; then
		needs_compiler "$file"
		scratch=$(mktemp -d "$classes.XXXXXX")
		trap 'rm -rf "$scratch"' EXIT
		trap 'exit 1' HUP INT TERM
		mkdir "$scratch/classes"
		if ! (. "$home/javac.sh") >"$scratch/output" 2>&1; then
			# The folders before the names are of no use to anybody.
			words=$(sed 's|^\(\./\)*[^ :]*/\([^/ :]*\.java:[0-9]\)|\2|' "$scratch/output" | head -c 4000)
			rm -rf "$scratch"
			start --failed "$words"
		fi
		# By one rename: what is in its place is whole.
		mv -T "$scratch/classes" "$classes" 2>/dev/null || [ -d "$classes" ] # another one was faster
		rm -rf "$scratch"
		trap - EXIT
	fi
fi

set -- "$classes" "$folder"
[ ! -d "$folder/src/main/resources" ] || set -- "$@" "$folder/src/main/resources"
for jar in "$volume"/lib/*.jar; do [ ! -f "$jar" ] || set -- "$@" "$jar"; done
start "$@"
