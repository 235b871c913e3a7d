# shellcheck shell=sh
# Sourced by start.sh, compile.sh and install.sh, which define fail (prints a message and exits).
# Finds Go and compiles build/, once for each version of Go and of this runtime. Sets `home` and
# `build`. Reads KUBELESS_LOADER_CACHE, XDG_CACHE_HOME, HOME and TMPDIR; variables that begin with
# GO are for Go.

home=$(cd "$(dirname "$0")" && pwd -P)
command -v go >/dev/null || fail "Go is not installed or not on PATH; on Debian: apt-get install golang-go"

cache=${KUBELESS_LOADER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}/kubeless-loader}/go.compiled
if ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
	# Any user may run this, also one without a home. Files of this folder are executed, so another
	# user must not be able to make it first.
	cache=${TMPDIR:-/tmp}/kubeless-loader-$(id -u)
	(umask 077 && mkdir -p "$cache")
	[ -O "$cache" ] || cache=$(mktemp -d)
fi
# An installer image has the standard library compiled, in a folder that is read-only; Go must be
# able to write to its cache.
if [ -d "$home/warm" ] && [ -z "${GOCACHE:-}" ]; then
	export GOCACHE="$cache/go-build"
	[ -d "$GOCACHE" ] || cp -Rs "$home/warm/go-build" "$GOCACHE"
	ln -sf "$home"/warm/go.compiled/build-* "$cache/"
fi
if ! { [ -d "${HOME:-}" ] && [ -w "$HOME" ]; }; then
	[ -n "${GOCACHE:-}${XDG_CACHE_HOME:-}" ] || export GOCACHE="$cache/go-build"
	[ -n "${GOPATH:-}${GOMODCACHE:-}" ] || export GOPATH="$cache/go"
fi

version=$(go env GOVERSION 2>&1 3>&-) || fail "$version"
build=$cache/build-$({ echo "$version" && cat "$home/go.mod" "$home"/build/*.go; } | cksum | tr ' ' -)
if [ ! -x "$build" ]; then
	# Compiles the standard library too, if it is not in Go's cache. That takes 20 % less CPU when the
	# compiler collects garbage less often; packages of a function can be larger, so they do not get
	# it.
	output=$(
		exec 2>&1 3>&-
		cd "$home" && export GOWORK=off GO111MODULE=on GOOS='' GOARCH='' CGO_ENABLED=0 GOGC=400
		GOFLAGS='' go build -buildvcs=false -ldflags='-s -w' -o "$build.$$" ./build || exit
		go build -buildvcs=false ./worker >/dev/null || : # with the GOFLAGS of the function, which may not fit
	) || fail "$output"
	mv -f "$build.$$" "$build"
	find "$cache" -maxdepth 1 -name 'build-*' -mtime +30 -exec rm -f {} + 2>/dev/null || :
fi
