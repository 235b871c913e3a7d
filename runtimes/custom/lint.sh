#!/bin/sh
# Checks the worker with ShellCheck.
set -eu

command -v shellcheck >/dev/null || { echo "Cannot check the worker: shellcheck is missing. Install it (Debian: apt-get install shellcheck)." >&2 && exit 1; }
cd "$(dirname "$0")"
shellcheck -x ./*.sh
