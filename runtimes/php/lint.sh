#!/bin/sh
# Checks the worker with PHP_CodeSniffer (test/phpcs.xml). Exit code 1: findings, 69: the tool is
# missing. With CI=true or KUBELESS_SETUP=true, installs it on Debian as root.
set -u

cd "$(dirname "$0")" || exit 1
if ! command -v phpcs >/dev/null && { [ "${CI:-}" = true ] || [ "${KUBELESS_SETUP:-}" = true ]; } \
	&& [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends php-codesniffer >/dev/null
fi
if ! command -v phpcs >/dev/null; then
	echo 'phpcs is missing. On Debian: apt-get install php-codesniffer' >&2
	exit 69
fi
phpcs -q --standard=test/phpcs.xml --extensions=php . || exit 1
