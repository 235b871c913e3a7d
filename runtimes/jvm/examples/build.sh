#!/bin/sh
# Makes the jars of these examples in the folder $1, as your own build tool would.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=$here/../../java
. "$home/java.sh"
mkdir -p "$1"
out=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
sh "$home/build.sh" "$scratch/worker"

make() {
	mkdir -p "$scratch/$1" "$(dirname "$out/$1")"
	compile -d "$scratch/$1" -cp "$scratch/worker/worker.jar:$out/deps/greeting.jar" "$2"
	# shellcheck disable=SC2154 # java.sh sets it
	"${javac%javac}jar" cf "$out/$1.jar" -C "$scratch/$1" .
}

make deps/greeting "$here/deps/greeting.java"
make deps/deps "$here/deps/deps.java"
make hello "$here/hello.java"
make data "$here/data.java"
for name in conformance conformance-single; do make "$name" "$home/examples/$name.java"; done
