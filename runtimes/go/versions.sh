#!/bin/sh
# Has Go bring other versions of itself, as it does for a go.mod that wants one, and prints their folders of executables.
set -eu

for version in 1.27.0 1.26.0 1.25.0 1.24.0 1.23.0 1.22.0 1.21.0; do
	echo "$(GOTOOLCHAIN=go$version go env GOROOT)/bin" || true
done
