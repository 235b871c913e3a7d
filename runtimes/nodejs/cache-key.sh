#!/bin/sh
# Prints everything, apart from package.json and its lock files, that decides what is installed.
# Installers keep results by it. "@folder" stands for all files in the function's folder.
set -eu

node -p 'process.version + " " + process.platform + " " + process.arch'
env | grep -Ei '^(npm_|node_env=|node_options=)' | LC_ALL=C sort || :
! grep -Eq '"workspaces"|"(pre|post)?install"|"prepare"|"(file|link|portal):|:[[:space:]]*"[~.]*/' "$KUBELESS_DEPS_FILE" || echo @folder
