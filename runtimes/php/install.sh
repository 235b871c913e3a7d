#!/bin/sh
# Installs what the composer.json $KUBELESS_DEPS_FILE lists into $KUBELESS_INSTALL_VOLUME/vendor. A composer.lock and an
# auth.json beside it count, or one in HOME, and Composer's own settings (COMPOSER_AUTH, COMPOSER_HOME, …).
set -eu

# Kubeless makes the file for every function, most often an empty one.
if [ -e "$KUBELESS_DEPS_FILE" ] && ! grep -q '[^[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd -P)
place=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd -P)

# The worker's own libraries need not be fetched where the system has them (on Debian: php-nyholm-psr7).
if [ "$place" = "$(cd "$(dirname "$0")" && pwd -P)" ] &&
	php -r 'exit((int) !stream_resolve_include_path("Nyholm/Psr7/autoload.php"));'; then exit 0; fi

if ! command -v composer >/dev/null; then
	echo "composer is not on PATH: install Composer (on Debian: apt-get install composer)." >&2
	exit 1
fi

# Any user may run this, one without a home as well.
[ -w "${HOME:-/nowhere}" ] || export HOME="${TMPDIR:-/tmp}"
export COMPOSER_ALLOW_SUPERUSER="${COMPOSER_ALLOW_SUPERUSER:-1}"
export COMPOSER_NO_INTERACTION=1 COLUMNS=500 # a message is not broken into lines
export COMPOSER_MIRROR_PATH_REPOS="${COMPOSER_MIRROR_PATH_REPOS:-1}" # a link would lead out of the volume
export COMPOSER_VENDOR_DIR="$volume/vendor"

# Composer writes a lock file beside its composer.json: nothing is to be left in the function's folder.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$KUBELESS_DEPS_FILE" "$scratch/composer.json"
[ ! -f "$HOME/auth.json" ] || cp "$HOME/auth.json" "$scratch/auth.json"
for file in composer.lock auth.json; do
	[ ! -f "$place/$file" ] || cp "$place/$file" "$scratch/$file"
done
export COMPOSER="$scratch/composer.json"
cd "$place" # a path in the file means beside it
# Composer only warns of a lock that does not belong to the file, and installs what is in the lock.
if [ -f "$scratch/composer.lock" ] && ! composer validate --no-check-all --no-check-publish --no-check-version --no-ansi >"$scratch/said" 2>&1; then
	cat "$scratch/said" >&2
	exit 4
fi
composer install --no-dev --prefer-dist --no-progress --optimize-autoloader --no-ansi
