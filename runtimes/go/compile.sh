#!/bin/sh
# Kubeless's compilation phase: compiles all *.go files of $KUBELESS_INSTALL_VOLUME to `server`
# there. Fails if they have no function $KUBELESS_FUNC_NAME. Errors also go to the termination log.
set -eu

fail() {
	printf '%s\n' "$1" >&2
	[ ! -w /dev/termination-log ] || printf '%s\n' "$1" >/dev/termination-log
	exit 1
}

: "${KUBELESS_INSTALL_VOLUME:?is the folder of the function}"
. "$(dirname "$0")/tools.sh"
exec "$build" compile "$home"
