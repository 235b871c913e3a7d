#!/bin/sh
# Kubeless's compilation phase (/compile-function.sh): installs what pom.xml lists into lib, and
# compiles all Java files of KUBELESS_INSTALL_VOLUME into function/classes. Errors also go to the
# termination log.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
file='*.java' # a pattern that adds no file to java_files
. "$home/java.sh"
cd "$KUBELESS_INSTALL_VOLUME"
volume=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
	cat "$scratch/output" >&2
	termination=${KUBELESS_TERMINATION_LOG:-/dev/termination-log}
	[ ! -w "$termination" ] || tail -c 4000 "$scratch/output" >"$termination"
	exit 1
}

# Runs a step. If it fails, prints its output and ends.
step() {
	"$@" >"$scratch/output" 2>&1 || fail
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
	fail
fi
argument_file <"$scratch/names" >"$scratch/sources"
class_path "$worker" "$volume"/lib/*.jar "$volume"/lib-compile/*.jar
key=$(source_key .)
rm -rf function
mkdir -p function/classes
step compile -d function/classes -cp "$path" "@$scratch/sources"
# start.sh takes the classes only if the files are those that were compiled.
[ "$key" != "$(source_key .)" ] || echo "$key" >function/sources
