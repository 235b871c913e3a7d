#!/bin/sh
# Prints what decides, beside the function's folder, what is compiled: an installer keeps results by it.
set -eu

bal version
env | grep -E '^(BAL|JAVA_)' | LC_ALL=C sort || :
