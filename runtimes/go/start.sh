#!/bin/sh
# Starts the worker: the program that compile.sh has left in $KUBELESS_INSTALL_VOLUME, or else one that is made here of
# $KUBELESS_HANDLER_FILE, once for each content. What is wrong goes to the wire, as `failed` (PROTOCOL 3.2).
set -eu

server=${KUBELESS_INSTALL_VOLUME:-/dev/null}/server
if [ -f "$server" ] && [ -x "$server" ]; then exec "$server"; fi

fail() {
	text=$(printf '%s' "$1" | tr '\t' ' ' | tr -d '\000-\010\013-\037' | sed 's/\\/\\\\/g; s/"/\\"/g' | awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }')
	printf '{"type":"failed","code":"HANDLER_FAILED_TO_LOAD","message":"%s"}\n' "$text" >&3
	exit 1
}

. "$(dirname "$0")/tools.sh"
exec "$build" serve "$home" "$state"
