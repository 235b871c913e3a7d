#!/bin/sh
# Prints what decides, beside the function's folder, what is compiled: an installer keeps results by it.
set -eu

go env GOVERSION GOFLAGS GOEXPERIMENT GOAMD64 GOARM GOPROXY GOPRIVATE GONOSUMDB GONOSUMCHECK
