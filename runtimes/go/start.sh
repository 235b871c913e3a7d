#!/bin/sh
# Starts the worker: the server that compile.sh has made in $KUBELESS_INSTALL_VOLUME, or a program
# that is compiled here from $KUBELESS_HANDLER_FILE. Sends an error to the loader as `failed`
# (PROTOCOL 3.2).
set -eu

server=${KUBELESS_INSTALL_VOLUME:-/dev/null}/server
if [ -f "$server" ] && [ -x "$server" ]; then exec "$server"; fi

fail() {
	text=$(printf '%s' "$1" | tr '\t' ' ' | tr -d '\000-\010\013-\037' | sed 's/\\/\\\\/g; s/"/\\"/g' | awk 'NR > 1 { printf "\\n" } { printf "%s", $0 }')
	printf '{"type":"failed","code":"HANDLER_FAILED_TO_LOAD","message":"%s"}\n' "$text" >&3
	exit 1
}

. "$(dirname "$0")/tools.sh"
exec "$build" serve "$home"
