#!/bin/sh
# Installs the packages that KUBELESS_DEPS_FILE lists into the prefix KUBELESS_INSTALL_VOLUME.
# pip reads its own settings (PIP_INDEX_URL, PIP_CERT, …), a pip.conf in HOME, and SSL_CERT_FILE.
set -eu

# Kubeless creates this file for every function, usually empty.
if [ -e "$KUBELESS_DEPS_FILE" ] && ! grep -q '^[[:space:]]*[^#[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

if ! command -v python3 >/dev/null; then
	echo 'python3 is not on PATH: install Python 3.6 or later' >&2
	exit 127
fi
if ! python3 -c 'import pip' 2>/dev/null; then
	echo "$(command -v python3) has no pip: install it (Debian: apt install python3-pip, others: python3 -m ensurepip)" >&2
	exit 127
fi

prefix=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
file=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)/$(basename "$KUBELESS_DEPS_FILE")
cd "$(dirname "$file")" # relative paths in the file start at its folder

# Users without a home folder may run this too. Without a writable one pip prints long warnings.
[ -w "${HOME:-/nowhere}" ] || export HOME="${TMPDIR:-/tmp}"
[ ! -f "$HOME/pip.conf" ] || export PIP_CONFIG_FILE="${PIP_CONFIG_FILE:-$HOME/pip.conf}"
[ -z "${SSL_CERT_FILE:-}" ] || export PIP_CERT="${PIP_CERT:-$SSL_CERT_FILE}"
export PIP_DISABLE_PIP_VERSION_CHECK="${PIP_DISABLE_PIP_VERSION_CHECK:-1}"
export PIP_ROOT_USER_ACTION="${PIP_ROOT_USER_ACTION:-ignore}"
export PIP_PROGRESS_BAR="${PIP_PROGRESS_BAR:-off}"
export PIP_NO_INPUT="${PIP_NO_INPUT:-1}"
# A developer may have set either one; both exclude --prefix.
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PIP_LOG="${PIP_LOG:-$scratch/log}"
# Without --ignore-installed pip counts packages of Python itself as installed, or removes them.
python3 -m pip install --prefix "$prefix" --ignore-installed --no-warn-script-location -r "$file" || {
	code=$?
	# pip reports a registry's refusal (401, 403) only in its log.
	sed -n 's/^[^ ]* *\(Could not fetch URL .*\)/\1/p' "$PIP_LOG" | sort -u >&2
	exit "$code"
}
