#!/bin/sh
# Prints what a compiled function depends on besides its folder: the key under which an installer
# keeps results.
set -eu

home=${0%/*}
. "$home/ballerina.sh"
find_bal
! is_older || export_java_home
"$bal" version
env | grep -E '^(BAL|JAVA_)' | LC_ALL=C sort || :
