#!/bin/sh
# Checks the Go code with gofmt, go vet and staticcheck. Exit code 1: findings, 69: a tool is
# missing. With CI=true or KUBELESS_SETUP=true, `go install` installs staticcheck into $LINT_TOOLS.
set -u

cd "$(dirname "$0")" || exit 1
version=v0.8.2
tools=${LINT_TOOLS:-$PWD/../../node_modules/.cache/lint}/staticcheck-$version
if ! command -v go >/dev/null || ! command -v gofmt >/dev/null; then
	echo 'go and gofmt are missing. Install Go 1.26 or later from https://go.dev/dl.' >&2
	exit 69
fi
if [ ! -x "$tools/staticcheck" ] && { [ "${CI:-}" = true ] || [ "${KUBELESS_SETUP:-}" = true ]; }; then
	GOBIN=$tools GOFLAGS='' go install "honnef.co/go/tools/cmd/staticcheck@$version" >&2
fi
if [ ! -x "$tools/staticcheck" ]; then
	echo "staticcheck $version is missing. Run KUBELESS_SETUP=true npm run check (needs Go 1.26 or later)." >&2
	exit 69
fi

status=0
unformatted=$(find . -name '*.go' ! -name conformance-broken.go -exec gofmt -l {} +) || status=1
[ -z "$unformatted" ] || {
	printf 'not formatted by gofmt: %s\n' $unformatted
	status=1
}
set -- ./build/... ./pkg/... ./start/... ./wire/... ./worker/...
go vet "$@" || status=1
"$tools/staticcheck" "$@" || status=1
exit "$status"
