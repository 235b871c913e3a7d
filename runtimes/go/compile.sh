#!/bin/sh
# Kubeless's compilation phase: makes $KUBELESS_INSTALL_VOLUME/server of the function that is there, all its *.go files, and
# says if it has no handler $KUBELESS_FUNC_NAME. What is wrong is also told where Kubernetes reads last words.
set -eu

fail() {
	printf '%s\n' "$1" >&2
	[ ! -w /dev/termination-log ] || printf '%s\n' "$1" >/dev/termination-log
	exit 1
}

: "${KUBELESS_INSTALL_VOLUME:?is the folder of the function}"
. "$(dirname "$0")/tools.sh"
exec "$build" compile "$home" "$state"
