#!/bin/sh
# Starts the function KUBELESS_HANDLER_FILE as an HTTP server at PORT, of which the loader makes calls. It is compiled first, if neither
# compile.sh has done so nor an earlier start. JAVA_HOME names the Java, JAVA_OPTS has options for it.
set -eu

home=$(cd "${0%/*}" && pwd)
file=$KUBELESS_HANDLER_FILE
handler=${FUNC_HANDLER:-}
. "$home/ballerina.sh"
folder=${file%/*}
folder=${folder:-/}
volume=${KUBELESS_INSTALL_VOLUME:-$folder}

# A server is not told when the loader is killed, but file descriptor 3 ends then.
if true 2>/dev/null <&3; then
	(read -r _ <&3 || kill -KILL $$) >/dev/null 2>&1 </dev/null &
	exec 3<&-
fi

failed() {
	printf '%s\n' "$1" >&2
	exit 1
}

[ -f "$file" ] || failed "There is no file $file."
[ -s "$file" ] || failed "The file $file is empty."

function=$volume/function
compiled=
[ ! -f "$function/sources" ] || read -r compiled <"$function/sources"
if [ -n "$compiled" ] && [ -z "$handler" ]; then read -r handler <"$function/handler"; fi
if [ -z "$compiled" ] || [ "$compiled" != "$(source_key "$folder" "" "$handler")" ]; then
	find_bal || failed "$file has to be compiled, and there is no bal: run kubeless-compile of the installer image first, or install Ballerina (https://ballerina.io/downloads)."
	cache=${KUBELESS_LOADER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubeless-loader}/compiled
	mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || failed "$file has to be compiled, and $cache cannot be written: set KUBELESS_LOADER_CACHE to a folder that can."
	function=$cache/ballerina-function-$(source_key "$folder" "${file##*/}" "$handler" "$(bal_state)")
	if [ ! -d "$function" ]; then
		scratch=$(mktemp -d "$function.XXXXXX")
		trap 'rm -rf "$scratch"' EXIT
		trap 'exit 1' HUP INT TERM
		sh "$home/package.sh" "$folder" "$file" "$handler" "$scratch" >"$scratch/output" 2>&1 || failed "$(head -c 4000 "$scratch/output")"
		# By one rename: what is in its place is whole.
		mv -T "$scratch/function" "$function" 2>/dev/null || [ -d "$function" ] # another one was faster
		rm -rf "$scratch"
		trap - EXIT HUP INT TERM
	fi
	read -r handler <"$function/handler"
fi
find_java || failed 'Java is not there: install a JRE, or set JAVA_HOME.'

# kubeless.toml is what Kubeless called it. The first one counts where both have a value.
config=${BAL_CONFIG_FILES:-}
for name in kubeless.toml Config.toml; do [ ! -f "$folder/$name" ] || config=$config${config:+:}$folder/$name; done
[ -z "$config" ] || export BAL_CONFIG_FILES="$config"
export FUNC_HANDLER="$handler"

# The other half of the container's memory is for what is no heap, and for the loader; several workers share.
workers=${FUNC_WORKERS:-1}
[ "$workers" != auto ] || workers=$(nproc)
case "${JAVA_OPTS:-} ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-}" in *-XX:+Use*GC*) set -- ;; *) set -- -XX:+UseSerialGC ;; esac
# shellcheck disable=SC2086
exec "$java" "$@" -Xms16m -XX:MaxRAMPercentage="$((50 / workers + 1)).0" -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData -Dfile.encoding=UTF-8 \
	${JAVA_OPTS:-} -jar "$function/function.jar"
