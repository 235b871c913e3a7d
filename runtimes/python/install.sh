#!/bin/sh
# Installs what KUBELESS_DEPS_FILE lists into the prefix KUBELESS_INSTALL_VOLUME, where the worker finds it.
# pip's own settings (PIP_INDEX_URL, PIP_CERT, …) are pip's to read; a pip.conf in HOME and SSL_CERT_FILE count too.
set -eu

# Kubeless makes the file for every function, most often an empty one.
if [ -e "$KUBELESS_DEPS_FILE" ] && ! grep -q '^[[:space:]]*[^#[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

prefix=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
file=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)/$(basename "$KUBELESS_DEPS_FILE")
cd "$(dirname "$file")" # `./mine` in the file means beside it

# Any user may run this, one without a home as well; where pip cannot cache, it says so at length.
[ -w "${HOME:-/nowhere}" ] || export HOME="${TMPDIR:-/tmp}"
[ ! -f "$HOME/pip.conf" ] || export PIP_CONFIG_FILE="${PIP_CONFIG_FILE:-$HOME/pip.conf}"
[ -z "${SSL_CERT_FILE:-}" ] || export PIP_CERT="${PIP_CERT:-$SSL_CERT_FILE}"
export PIP_DISABLE_PIP_VERSION_CHECK="${PIP_DISABLE_PIP_VERSION_CHECK:-1}"
export PIP_ROOT_USER_ACTION="${PIP_ROOT_USER_ACTION:-ignore}"
export PIP_PROGRESS_BAR="${PIP_PROGRESS_BAR:-off}"
export PIP_NO_INPUT="${PIP_NO_INPUT:-1}"
# Both can be on at a desk, and neither goes with a prefix.
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PIP_LOG="${PIP_LOG:-$scratch/log}"
# Without --ignore-installed pip takes what Python itself has for installed, or removes it to make room.
python3 -m pip install --prefix "$prefix" --ignore-installed --no-warn-script-location -r "$file" || {
	code=$?
	# That a registry sent it away pip tells nobody but its log.
	sed -n 's/^[^ ]* *\(Could not fetch URL .*\)/\1/p' "$PIP_LOG" | sort -u >&2
	exit "$code"
}
