#!/bin/sh
# Compiles the worker with all of javac's warnings and those of Error Prone, and fails if there is one. Needs JDK 17 or later and Maven.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
home=$here/../..
. "$home/java.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

mvn --quiet --batch-mode --file "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$scratch/jars"
checks=$(printf '%s:' "$scratch"/jars/*.jar)
set --
for part in api code comp file main model parser processing tree util; do
	set -- "$@" "-J--add-exports=jdk.compiler/com.sun.tools.javac.$part=ALL-UNNAMED" "-J--add-opens=jdk.compiler/com.sun.tools.javac.$part=ALL-UNNAMED"
done
# Off: Kubeless's names of fields (Data, EventID), a Date that a function returns, a priority that is reset, splits without
# empty parts, and System.exit's replacement, which must throw.
off='-Xep:InconsistentCapitalization:OFF -Xep:JavaUtilDate:OFF -Xep:ThreadPriorityCheck:OFF -Xep:StringSplitter:OFF -Xep:DoNotCallSuggester:OFF'
find "$home/src" -name '*.java' >"$scratch/sources"
"$javac" "$@" -XDcompilePolicy=simple --should-stop=ifError=FLOW -processorpath "$checks" "-Xplugin:ErrorProne $off" \
	--release 8 -Xlint:all -Xlint:-options,-processing -Werror -encoding UTF-8 -d "$scratch/classes" "@$scratch/sources"
