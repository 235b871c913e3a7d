#!/bin/sh
# Installs the gems of KUBELESS_DEPS_FILE (a Gemfile) into KUBELESS_INSTALL_VOLUME, where the worker
# finds them. Bundler reads its own settings (BUNDLE_MIRROR__…, BUNDLE_WITHOUT, credentials, …).
set -eu

# Kubeless makes the file for every function; it is often empty.
if ! [ -e "$KUBELESS_DEPS_FILE" ] || ! grep -q '^[[:space:]]*[^#[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
folder=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)
gemfile=$folder/$(basename "$KUBELESS_DEPS_FILE")

# The worker's own Gemfile: nothing is installed if this Ruby has the gems (Debian's ruby-rack).
if [ "$folder" = "$(cd "$(dirname "$0")" && pwd)" ] && ruby "$folder/libraries.rb" "$gemfile"; then exit 0; fi

if [ -e "$gemfile.lock" ]; then
	export BUNDLE_FROZEN="${BUNDLE_FROZEN:-true}" # installs the versions of the lock, or fails
elif [ "$folder" != "$volume" ]; then
	# Without a lock Bundler would write one beside the Gemfile, into the author's folder.
	printf 'eval_gemfile %s\n' "'$gemfile'" >"$volume/Gemfile"
	gemfile=$volume/Gemfile
fi

# The user may have no home folder.
[ -w "${HOME:-/nowhere}" ] || export HOME="${TMPDIR:-/tmp}"
export BUNDLE_GEMFILE="$gemfile" BUNDLE_PATH="$volume"
export BUNDLE_APP_CONFIG="$volume/.bundle" # settings of the image or of the folder may name another path
export BUNDLE_SILENCE_ROOT_WARNING="${BUNDLE_SILENCE_ROOT_WARNING:-true}"
export BUNDLE_DISABLE_VERSION_CHECK="${BUNDLE_DISABLE_VERSION_CHECK:-true}"

bundle install
rm -rf "$volume"/ruby/*/cache # the packed gems, no longer needed
