#!/bin/sh
# Prints what an installation depends on besides composer.json and its lock: the key under which an
# installer keeps results. "@folder" stands for all files in the function's folder.
set -eu

php -r 'echo PHP_VERSION, " ", PHP_OS, "\n";'
env | grep '^COMPOSER' | LC_ALL=C sort || :
! grep -Eq '"(autoload|scripts|path|artifact)"|file:' "$KUBELESS_DEPS_FILE" || echo @folder
