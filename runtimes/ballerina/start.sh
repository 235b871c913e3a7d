#!/bin/sh
# Starts the function KUBELESS_HANDLER_FILE as an HTTP server on PORT, which the loader calls.
# Compiles it first, unless compile.sh or an earlier start did. JAVA_HOME chooses the Java,
# JAVA_OPTS has options for it.
set -eu

home=$(cd "${0%/*}" && pwd)
file=$KUBELESS_HANDLER_FILE
handler=${FUNC_HANDLER:-}
. "$home/ballerina.sh"
folder=${file%/*}
folder=${folder:-/}
volume=${KUBELESS_INSTALL_VOLUME:-$folder}

# File descriptor 3 ends when the loader is killed. An HTTP server would not notice.
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
		# A rename, so that a build is either whole or absent.
		mv -T "$scratch/function" "$function" 2>/dev/null || [ -d "$function" ] # another start was faster
		rm -rf "$scratch"
		trap - EXIT HUP INT TERM
	fi
	read -r handler <"$function/handler"
fi
# Half of the container's memory is for the heaps of all workers, the rest for everything else.
workers=${FUNC_WORKERS:-1}
[ "$workers" != auto ] || workers=$(nproc)
case "${JAVA_OPTS:-} ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-}" in *-XX:+Use*GC*) options= ;; *) options=-XX:+UseSerialGC ;; esac
options="$options -XX:MaxRAMPercentage=$((50 / workers + 1)).0 -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData"
export FUNC_HANDLER="$handler"
if [ -f "$function/function.balx" ]; then . "$home/older/run.sh"; fi

find_java || failed 'Java is not there: install a JRE, or set JAVA_HOME.'

# kubeless.toml is Kubeless's name of the file. If both have a value, the first file wins.
config=${BAL_CONFIG_FILES:-}
for name in kubeless.toml Config.toml; do [ ! -f "$folder/$name" ] || config=$config${config:+:}$folder/$name; done
[ -z "$config" ] || export BAL_CONFIG_FILES="$config"
# shellcheck disable=SC2086
exec "$java" -Xms16m $options -Dfile.encoding=UTF-8 ${JAVA_OPTS:-} -jar "$function/function.jar"
