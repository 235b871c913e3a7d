#!/bin/sh
# Installs what KUBELESS_DEPS_FILE, a Gemfile, lists into KUBELESS_INSTALL_VOLUME, where the worker finds it.
# Bundler's own settings (BUNDLE_MIRROR__…, BUNDLE_WITHOUT, credentials of a gem server, …) are Bundler's to read.
set -eu

# Kubeless makes the file for every function, most often an empty one.
if ! [ -e "$KUBELESS_DEPS_FILE" ] || ! grep -q '^[[:space:]]*[^#[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
folder=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)
gemfile=$folder/$(basename "$KUBELESS_DEPS_FILE")

# What the worker itself offers, its own Gemfile lists; where this Ruby has it already, as with Debian's ruby-rack, that serves.
if [ "$folder" = "$(cd "$(dirname "$0")" && pwd)" ] && ruby "$folder/libraries.rb" "$gemfile"; then exit 0; fi

if [ -e "$gemfile.lock" ]; then
	export BUNDLE_FROZEN="${BUNDLE_FROZEN:-true}" # what the lock says or nothing
elif [ "$folder" != "$volume" ]; then
	# Without a lock Bundler would write one beside the Gemfile, which is somebody's own folder.
	printf 'eval_gemfile %s\n' "'$gemfile'" >"$volume/Gemfile"
	gemfile=$volume/Gemfile
fi

# Any user may run this, one without a home as well.
[ -w "${HOME:-/nowhere}" ] || export HOME="${TMPDIR:-/tmp}"
export BUNDLE_GEMFILE="$gemfile" BUNDLE_PATH="$volume"
export BUNDLE_APP_CONFIG="$volume/.bundle" # settings of the image, or of the folder, may name another path
export BUNDLE_SILENCE_ROOT_WARNING="${BUNDLE_SILENCE_ROOT_WARNING:-true}"
export BUNDLE_DISABLE_VERSION_CHECK="${BUNDLE_DISABLE_VERSION_CHECK:-true}"

bundle install
rm -rf "$volume"/ruby/*/cache # the packed gems, no longer needed
