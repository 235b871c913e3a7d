#!/bin/sh
# Builds the worker into the folder $1: worker.jar, and an archive of its classes as this very Java has them in memory, which
# saves a part of every start (from Java 13 on).
set -eu

home=$(cd "$(dirname "$0")" && pwd)
. "$home/java.sh"
mkdir -p "$1"
out=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

mkdir "$scratch/classes"
find "$home/src" -name '*.java' >"$scratch/sources"
case $("$javac" -version 2>&1) in
'javac 1.8.'*) set -- ;; # it knows no other release
*) set -- --release 8 ;;
esac
"$javac" -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -Xlint:-options -nowarn -encoding UTF-8 -g "$@" -d "$scratch/classes" "@$scratch/sources"
# The jar may reach into java.io, for the descriptor of the wire.
printf 'Main-Class: io.kubeless.worker.Main\nAdd-Opens: java.base/java.io\n' >"$scratch/manifest"
"${javac%javac}jar" cfm "$scratch/worker.jar" "$scratch/manifest" -C "$scratch/classes" .

# If two build at once, one jar stays: the archive is good for the very file only, at its very place.
cp "$scratch/worker.jar" "$out/worker.jar.$$"
ln "$out/worker.jar.$$" "$out/worker.jar" 2>/dev/null || true
rm "$out/worker.jar.$$"

sh "$home/rehearse.sh" "$out"
