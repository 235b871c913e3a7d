#!/bin/sh
# Prints what decides, beside composer.json and its lock, what is installed: an installer keeps results by it. "@folder" stands for
# everything in the function's folder.
set -eu

php -r 'echo PHP_VERSION, " ", PHP_OS, "\n";'
env | grep '^COMPOSER' | LC_ALL=C sort || :
! grep -Eq '"(autoload|scripts|path|artifact)"|file:' "$KUBELESS_DEPS_FILE" || echo @folder
