#!/bin/sh
# Kubeless's compilation phase (/compile-function.sh): compiles all Java files of KUBELESS_INSTALL_VOLUME into function/classes
# there, with what its pom.xml depends on, which goes into lib. What fails is said to the termination log too.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
file='*.java' # all there are
. "$home/java.sh"
cd "$KUBELESS_INSTALL_VOLUME"
volume=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
termination=${KUBELESS_TERMINATION_LOG:-/dev/termination-log}

# Runs a step, and ends with its words if it fails.
step() {
	"$@" >"$scratch/output" 2>&1 && return
	cat "$scratch/output" >&2
	[ ! -w "$termination" ] || tail -c 4000 "$scratch/output" >"$termination"
	exit 1
}

worker=$home/worker.jar
if [ ! -f "$worker" ]; then
	step sh "$home/build.sh" "$scratch/worker"
	worker=$scratch/worker/worker.jar
fi
[ ! -f pom.xml ] || KUBELESS_DEPS_FILE=$volume/pom.xml step sh "$home/install.sh"

java_files >"$scratch/names"
if [ ! -s "$scratch/names" ]; then
	echo "There is no Java file in $volume." >"$scratch/output"
	step cat "$scratch/output" /nonexistent
fi
# javac reads names with a blank in them only within quotes.
sed 's/[\\"]/\\&/g; s/.*/"&"/' "$scratch/names" >"$scratch/sources"
class_path "$worker" "$volume"/lib/*.jar "$volume"/lib-compile/*.jar
rm -rf function
mkdir -p function/classes
step compile -d function/classes -cp "$path" "@$scratch/sources"
source_key . >function/sources
