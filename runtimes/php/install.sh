#!/bin/sh
# Installs the packages of the composer.json $KUBELESS_DEPS_FILE into
# $KUBELESS_INSTALL_VOLUME/vendor. It uses composer.lock and auth.json beside that file, an
# auth.json in HOME, and Composer's own settings (COMPOSER_AUTH, COMPOSER_HOME, …).
set -eu

# Kubeless creates the file for every function. It is empty if the function has no dependencies.
if [ -e "$KUBELESS_DEPS_FILE" ] && ! grep -q '[^[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd -P)
place=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd -P)

# The worker's own library is not downloaded if the system has it (Debian: php-nyholm-psr7).
if [ "$place" = "$(cd "$(dirname "$0")" && pwd -P)" ] &&
	php -r 'exit((int) !stream_resolve_include_path("Nyholm/Psr7/autoload.php"));'; then exit 0; fi

if ! command -v composer >/dev/null; then
	echo "composer is not on PATH: install Composer (on Debian: apt-get install composer)." >&2
	exit 1
fi

# The user may have no home folder.
[ -w "${HOME:-/nowhere}" ] || export HOME="${TMPDIR:-/tmp}"
export COMPOSER_ALLOW_SUPERUSER="${COMPOSER_ALLOW_SUPERUSER:-1}"
export COMPOSER_NO_INTERACTION=1 COLUMNS=500 # Composer must not wrap its messages
export COMPOSER_MIRROR_PATH_REPOS="${COMPOSER_MIRROR_PATH_REPOS:-1}" # a link would point out of the volume
export COMPOSER_VENDOR_DIR="$volume/vendor"

# Composer writes a lock file beside its composer.json, which must not stay in the function's
# folder.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$KUBELESS_DEPS_FILE" "$scratch/composer.json"
[ ! -f "$HOME/auth.json" ] || cp "$HOME/auth.json" "$scratch/auth.json"
for file in composer.lock auth.json; do
	[ ! -f "$place/$file" ] || cp "$place/$file" "$scratch/$file"
done
export COMPOSER="$scratch/composer.json"
cd "$place" # paths in composer.json are relative to its folder
# If the lock does not fit composer.json, Composer only warns, and installs what the lock says.
if [ -f "$scratch/composer.lock" ] && ! composer validate --no-check-all --no-check-publish --no-check-version --no-ansi >"$scratch/message" 2>&1; then
	cat "$scratch/message" >&2
	exit 4
fi
composer install --no-dev --prefer-dist --no-progress --optimize-autoloader --no-ansi
