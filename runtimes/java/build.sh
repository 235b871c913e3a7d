#!/bin/sh
# Compiles the worker into $1/worker.jar. KUBELESS_JAVAC_OPTS has more options for javac, such as
# -Xlint:all -Werror.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
. "$home/java.sh"
mkdir -p "$1"
out=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$scratch/classes"
find "$home/src" -name '*.java' | argument_file >"$scratch/sources"
case $("$javac" -version 2>&1) in
'javac 1.8.'*) set -- ;; # has no --release
*) set -- --release 8 ;;
esac
# shellcheck disable=SC2086
"$javac" -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -nowarn ${KUBELESS_JAVAC_OPTS:-} -Xlint:-options -encoding UTF-8 -g "$@" \
	-d "$scratch/classes" "@$scratch/sources"
# The wire needs java.io.FileDescriptor, the context of a call java.lang.Thread.
printf 'Main-Class: io.kubeless.worker.Worker\nAdd-Opens: java.base/java.io java.base/java.lang\n' >"$scratch/manifest"
"${javac%javac}jar" cfm "$out/worker.jar" "$scratch/manifest" -C "$scratch/classes" .
