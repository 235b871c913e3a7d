#!/bin/sh
# Fetches the modules that the go.mod $KUBELESS_DEPS_FILE requires, so that compile.sh finds them.
# For this runtime's own go.mod: compiles the packages that every function needs.
set -eu

fail() {
	printf '%s\n' "$1" >&2
	exit 1
}

: "${KUBELESS_DEPS_FILE:?is the go.mod of the function}"
. "$(dirname "$0")/tools.sh"
exec "$build" install "$home"
