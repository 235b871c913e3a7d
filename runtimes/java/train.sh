#!/bin/sh
# Makes worker.jsa beside $1/worker.jar: an archive of the worker's loaded classes (AppCDS), which
# shortens every start by a part. It is valid for this build of Java and this place of the jar. Java
# has it since version 13.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
. "$home/java.sh"
out=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# The training run. The wire is a pipe open for reading and writing: the worker also reads its own
# frames, and ignores them.
mkfifo "$scratch/wire"
exec 3<>"$scratch/wire"
printf '{"type":"call","id":1,"method":"POST","path":"/","query":"x=1","deadline":1,"head":9,"body":4}\nHost: a\r\nciao' >&3
printf '{"type":"call","id":2,"method":"GET","path":"/","deadline":1}\n{"type":"stop"}\n' >&3
MOD_NAME=io.kubeless.worker.Training FUNC_HANDLER=handler timeout 20 "$java" -XX:+UseSerialGC -XX:-UsePerfData \
	-XX:ArchiveClassesAtExit="$scratch/worker.jsa" -jar "$out/worker.jar" "$out/worker.jar" >/dev/null 2>&1 || true
# In two steps: the scratch folder may be on another file system.
if [ -f "$scratch/worker.jsa" ]; then cp "$scratch/worker.jsa" "$out/worker.jsa.$$" && mv "$out/worker.jsa.$$" "$out/worker.jsa"; fi
