# shellcheck shell=sh
# For start.sh, compile.sh and install.sh: finds Go, and makes of build/ a program, once for each version of Go and of itself.
# Sets home, build and state. Read: KUBELESS_LOADER_CACHE, XDG_CACHE_HOME, HOME, TMPDIR; what begins with GO is Go's to read.
# Who reads this has a function fail, which takes a message and exits.

home=$(cd "$(dirname "$0")" && pwd -P)
command -v go >/dev/null || fail "Go is not installed or not on PATH; on Debian: apt-get install golang-go"

cache=${KUBELESS_LOADER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/dev/null}/.cache}/kubeless-loader}/go.compiled
if ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
	# Any user may run this, one without a home as well. What lies here is run, so nobody else may have made it.
	cache=${TMPDIR:-/tmp}/kubeless-loader-$(id -u)
	(umask 077 && mkdir -p "$cache")
	[ -O "$cache" ] || cache=$(mktemp -d)
fi
# An image has the common part compiled, in a folder that nobody can write; Go wants to write to its cache.
if [ -d "$home/warm" ] && [ -z "${GOCACHE:-}" ]; then
	export GOCACHE="$cache/go-build"
	[ -d "$GOCACHE" ] || cp -Rs "$home/warm/go-build" "$GOCACHE"
	ln -sf "$home"/warm/go.compiled/build-* "$cache/"
fi
if ! { [ -d "${HOME:-}" ] && [ -w "$HOME" ]; }; then
	[ -n "${GOCACHE:-}${XDG_CACHE_HOME:-}" ] || export GOCACHE="$cache/go-build"
	[ -n "${GOPATH:-}${GOMODCACHE:-}" ] || export GOPATH="$cache/go"
fi

state=$(go env GOVERSION GOFLAGS GOEXPERIMENT GOAMD64 GOARM 2>&1 3>&-) || fail "$state"
state="$state $(cat "$home"/go.mod "$home"/build/*.go "$home"/pkg/functions/*.go "$home"/wire/*.go "$home"/worker/*.go | cksum)"
build=$cache/build-$(printf '%s' "$state" | cksum | tr ' ' -)
if [ ! -x "$build" ]; then
	said=$(cd "$home" && GOFLAGS='' GOWORK=off GO111MODULE=on GOOS='' GOARCH='' CGO_ENABLED=0 \
		go build -buildvcs=false -ldflags='-s -w' -o "$build.$$" ./build 2>&1 3>&-) || fail "$said"
	mv -f "$build.$$" "$build"
	find "$cache" -maxdepth 1 -name 'build-*' -mtime +30 -exec rm -f {} + 2>/dev/null || :
fi
