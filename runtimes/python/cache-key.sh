#!/bin/sh
# Prints what decides, beside requirements.txt, what is installed: an installer keeps results by it. "@folder" stands for everything
# in the function's folder.
set -eu

python3 -c 'import sys, sysconfig; print(sys.version.replace("\n", " "), sysconfig.get_platform())'
env | grep '^PIP_' | LC_ALL=C sort || :
[ -z "${PIP_FIND_LINKS:-}" ] || echo @folder
! grep -Eq '^[[:space:]]*(-[A-Za-z-]|\.|/)|file:' "$KUBELESS_DEPS_FILE" || echo @folder
