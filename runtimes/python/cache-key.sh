#!/bin/sh
# Prints everything beside requirements.txt that decides which files are installed: the key of the
# installation cache. The line "@folder" stands for all files in the function's folder.
set -eu

python3 -c 'import sys, sysconfig; print(sys.version.replace("\n", " "), sysconfig.get_platform())'
env | grep '^PIP_' | LC_ALL=C sort || :
[ -z "${PIP_FIND_LINKS:-}" ] || echo @folder
! grep -Eq '^[[:space:]]*(-[A-Za-z-]|\.|/)|file:' "$KUBELESS_DEPS_FILE" || echo @folder
