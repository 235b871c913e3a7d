#!/bin/sh
# Prints the folders of executables of other Go versions. Go downloads each as for a go.mod that
# needs it. VERSIONS lists them; without it, all that Go's module proxy has and the worker runs on.
set -eu

for version in ${VERSIONS:-1.27.0 1.26.0 1.25.0 1.24.0 1.23.0 1.22.0 1.21.0}; do
	printf '%s/bin\tthe module proxy\n' "$(GOTOOLCHAIN=go$version go env GOROOT)" || true
done
