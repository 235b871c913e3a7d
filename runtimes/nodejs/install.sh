#!/bin/sh
# Installs what the package.json $KUBELESS_DEPS_FILE lists into $KUBELESS_INSTALL_VOLUME. A lock file and an .npmrc beside
# it count. Also read: NPM_REGISTRY, for the packages of NPM_SCOPE if set, NPM_CONFIG_EXTRA, a key and a value, and SSL_CERT_FILE.
set -eu

node -e '
  try {
    const text = require("fs").readFileSync(process.argv[1], "utf8");
    const of = text.trim() === "" ? {} : JSON.parse(text);
    const lists = [of.dependencies, of.optionalDependencies, of.peerDependencies, of.workspaces];
    const scripts = of.scripts || {};
    const some = lists.some((list) => list && Object.keys(list).length > 0);
    process.exit(some || scripts.preinstall || scripts.install || scripts.postinstall ? 0 : 3);
  } catch (error) {
    process.exit(error.code === "ENOENT" ? 4 : 0); // what is wrong with its JSON is for npm to say
  }
' "$KUBELESS_DEPS_FILE" || case $? in
3) exit 0 ;;
*) echo "There is no dependency file $KUBELESS_DEPS_FILE." >&2 && exit 1 ;;
esac

from=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd -P)
cd "$KUBELESS_INSTALL_VOLUME"
if [ "$from" != "$(pwd -P)" ]; then
	cp "$KUBELESS_DEPS_FILE" package.json
	for file in package-lock.json npm-shrinkwrap.json .npmrc; do
		if [ -f "$from/$file" ]; then cp "$from/$file" "$file"; else rm -f "$file"; fi
	done
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -w "${HOME:-/nowhere}" ]; then
	settings=${npm_config_userconfig:-$HOME/.npmrc}
	[ ! -f "$settings" ] || cp "$settings" "$scratch/npmrc"
else
	# uid 1000 has no home in most images, and npm wants one: for its cache, and for the log it names when it fails.
	HOME=$(mktemp -d)
	export HOME
fi
export npm_config_userconfig="$scratch/npmrc" npm_config_update_notifier=false
extra=${NPM_CONFIG_EXTRA:-}
unset NPM_CONFIG_EXTRA # npm takes it for a setting of its own
[ -z "${NPM_REGISTRY:-}" ] || npm config set -- "${NPM_SCOPE:+$NPM_SCOPE:}registry" "$NPM_REGISTRY"
set -f # the words of NPM_CONFIG_EXTRA are no file names
# shellcheck disable=SC2086
[ -z "$extra" ] || npm config set -- $extra

[ -z "${SSL_CERT_FILE:-}" ] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$SSL_CERT_FILE}"
set -- install --no-package-lock
[ ! -f package-lock.json ] && [ ! -f npm-shrinkwrap.json ] || set -- ci
# NODE_ENV says to npm 6 what --omit=dev says to later ones.
{ NODE_ENV=production npm "$@" --omit=dev --no-audit --no-fund 2>&1 || echo $? >"$scratch/status"; } | tee "$scratch/said" >&2
[ ! -f "$scratch/status" ] || exit "$(cat "$scratch/status")"
# A file that cannot be written is but a warning to npm.
! grep -q TAR_ENTRY_ERROR "$scratch/said"
