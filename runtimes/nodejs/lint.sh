#!/bin/sh
# Checks the types of the worker with tsc. Exit code 1: findings, 69: tsc is missing.
set -u

cd "$(dirname "$0")" || exit 1
PATH=$PWD/../../node_modules/.bin:$PATH
if ! command -v tsc >/dev/null; then
	echo 'tsc is missing. Run npm ci in the checkout.' >&2
	exit 69
fi
tsc -p . || exit 1
