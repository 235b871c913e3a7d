#!/bin/sh
# Makes the jars of these examples in the folder $1, as your own build tool would. Further arguments
# name the jars to make: by default all examples, and faults-VERSION if it is named (test/chaos).
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

[ $# -gt 1 ] || set -- "$1" deps/greeting deps/deps hello data conformance conformance-single
shift
for name; do
	case $name in
	faults-*)
		source=$scratch/faults.java
		sed "s/\"one\"/\"${name#faults-}\"/" "$home/examples/faults.java" >"$source"
		;;
	conformance*) source=$home/examples/$name.java ;;
	*) source=$here/$name.java ;;
	esac
	make "$name" "$source"
done
