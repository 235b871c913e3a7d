#!/bin/sh
# Beside the worker.jar in the folder $1: an archive of its classes as this very Java has them in memory.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
. "$home/java.sh"
out=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A rehearsal: a pipe that is read and written in one is a wire on which the worker also hears itself, and ignores it.
mkfifo "$scratch/wire"
exec 3<>"$scratch/wire"
printf '{"type":"call","id":1,"method":"POST","path":"/","query":"x=1","deadline":1,"head":9,"body":4}\nHost: a\r\nciao' >&3
printf '{"type":"call","id":2,"method":"GET","path":"/","deadline":1}\n{"type":"stop"}\n' >&3
MOD_NAME=io.kubeless.worker.Rehearsal FUNC_HANDLER=handler timeout 20 "$java" -XX:+UseSerialGC -XX:-UsePerfData \
	-XX:ArchiveClassesAtExit="$out/worker.jsa.$$" -jar "$out/worker.jar" "$out/worker.jar" >/dev/null 2>&1 || true
[ ! -f "$out/worker.jsa.$$" ] || mv "$out/worker.jsa.$$" "$out/worker.jsa"
