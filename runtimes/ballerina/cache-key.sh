#!/bin/sh
# Prints what a compiled function depends on besides its folder: the key under which an installer
# keeps results.
set -eu

bal version
env | grep -E '^(BAL|JAVA_)' | LC_ALL=C sort || :
