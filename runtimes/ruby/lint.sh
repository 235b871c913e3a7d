#!/bin/sh
# Checks the worker and its scripts: Ruby's own warnings, RuboCop (.rubocop.yml) and ShellCheck.
set -eu

cd "$(dirname "$0")"
for file in *.rb kubeless_worker/*.rb; do
	warnings=$(ruby -wc "$file" 2>&1)
	[ "$warnings" = "Syntax OK" ] || { printf '%s\n' "$warnings" >&2 && exit 1; }
done
for tool in rubocop shellcheck; do
	command -v "$tool" >/dev/null || { echo "Cannot check the worker: $tool is missing. Install it (Debian: apt-get install $tool)." >&2 && exit 1; }
done
rubocop --no-color --format simple
shellcheck ./*.sh
