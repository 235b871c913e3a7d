#!/bin/sh
# Installs the dependencies of the package.json $KUBELESS_DEPS_FILE into $KUBELESS_INSTALL_VOLUME,
# without development dependencies. A lock file and an .npmrc beside it count. Other variables:
# NPM_REGISTRY, for the packages of NPM_SCOPE if that is set; NPM_CONFIG_EXTRA, a key and a value;
# SSL_CERT_FILE.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
node "$here/install.js" needed "$KUBELESS_DEPS_FILE" || case $? in
3) exit 0 ;;
*) echo "There is no dependency file $KUBELESS_DEPS_FILE." >&2 && exit 1 ;;
esac

scratch=$(mktemp -d)
original=
# put FILE: makes FILE the package.json. The present one may belong to another user, so it is
# replaced, not written to.
put() {
	cp "$1" package.json.new
	mv -f package.json.new package.json
}
end() {
	[ -z "$original" ] || put "$original"
	rm -rf "$scratch"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

from=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd -P)
cd "$KUBELESS_INSTALL_VOLUME"
volume=$(pwd -P)
if [ "$from" != "$volume" ]; then
	# Workspaces, packages by path and install scripts are files of the function's folder.
	if sh "$here/cache-key.sh" | grep -qx '@folder'; then
		(cd "$from" && tar -cf - --exclude=node_modules --exclude='./.*' --exclude=".${volume#"$from"}" .) | tar -xf -
	fi
	cp "$KUBELESS_DEPS_FILE" package.json
	for file in package-lock.json npm-shrinkwrap.json .npmrc; do
		if [ -f "$from/$file" ]; then cp "$from/$file" "$file"; else rm -f "$file"; fi
	done
fi
if [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then
	set -- ci
else
	set -- install --no-package-lock
	cp package.json "$scratch/package.json"
	original=$scratch/package.json
	node "$here/install.js" manifest "$original" "$([ "$from" = "$volume" ] || echo "$from")" >"$scratch/installed.json"
	put "$scratch/installed.json"
fi

if [ -w "${HOME:-/nowhere}" ]; then
	settings=${npm_config_userconfig:-$HOME/.npmrc}
	[ ! -f "$settings" ] || { cat "$settings" && echo; } >"$scratch/npmrc"
else
	# uid 1000 has no home in most images. npm needs one for its cache, and for the log that it names
	# when it fails.
	HOME=$(mktemp -d)
	export HOME
fi
node "$here/install.js" settings >>"$scratch/npmrc"
export npm_config_userconfig="$scratch/npmrc" npm_config_update_notifier=false
unset NPM_CONFIG_EXTRA # npm would read it as a setting named "extra"

[ -z "${SSL_CERT_FILE:-}" ] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$SSL_CERT_FILE}"
# NODE_ENV means to npm 6 what --omit=dev means to later ones.
{ NODE_ENV=production npm "$@" --omit=dev --no-audit --no-fund 2>&1 || echo $? >"$scratch/status"; } | tee "$scratch/output" >&2
[ ! -f "$scratch/status" ] || exit "$(cat "$scratch/status")"
# npm only warns about a file that it cannot write.
! grep -q TAR_ENTRY_ERROR "$scratch/output"
