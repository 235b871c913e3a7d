#!/bin/sh
# Prints what the result of compiling depends on besides the function's folder, for the cache of an
# installer.
set -eu

go env GOVERSION GOFLAGS GOEXPERIMENT GOAMD64 GOARM GOPROXY GOPRIVATE GONOSUMDB GONOSUMCHECK
