#!/bin/sh
# Prints what decides, beside package.json and its locks, what is installed: an installer keeps results by it. "@folder" stands for
# everything in the function's folder.
set -eu

node -p 'process.version + " " + process.platform + " " + process.arch'
env | grep -Ei '^(npm_|node_env=|node_options=)' | LC_ALL=C sort || :
! grep -Eq '"workspaces"|"(pre|post)?install"|"prepare"|"(file|link|portal):|:[[:space:]]*"[~.]*/' "$KUBELESS_DEPS_FILE" || echo @folder
