#!/bin/sh
# Compiles the worker with all warnings of javac and of Error Prone. Exit code 1: findings, 69: a
# tool is missing. Needs JDK 17 or later. With CI=true or KUBELESS_SETUP=true, Maven installs Error
# Prone (test/lint.xml) into $LINT_TOOLS.
set -u

home=$(cd "$(dirname "$0")" && pwd)
. "$home/java.sh"
release=$("${javac:-javac}" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
if [ "${release:-0}" -lt 17 ]; then
	echo "javac 17 or later is missing. On Debian: apt-get install default-jdk-headless" >&2
	exit 69
fi
jars=${LINT_TOOLS:-$home/../../node_modules/.cache/lint}/error-prone-$(cksum <"$home/test/lint.xml" | cut -d ' ' -f 1)
if [ ! -d "$jars" ] && { [ "${CI:-}" = true ] || [ "${KUBELESS_SETUP:-}" = true ]; }; then
	rm -rf "$jars.new"
	mvn --quiet --batch-mode --file "$home/test/lint.xml" dependency:copy-dependencies -DoutputDirectory="$jars.new" >&2 && mv "$jars.new" "$jars"
fi
if [ ! -d "$jars" ]; then
	echo 'Error Prone is missing. Run KUBELESS_SETUP=true npm run check (needs Maven).' >&2
	exit 69
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
checks=$(printf '%s:' "$jars"/*.jar)
set --
for part in api code comp file main model parser processing tree util; do
	set -- "$@" "-J--add-exports=jdk.compiler/com.sun.tools.javac.$part=ALL-UNNAMED" "-J--add-opens=jdk.compiler/com.sun.tools.javac.$part=ALL-UNNAMED"
done
# Off: Kubeless's names of fields (Data, EventID), a Date that a function returns, a priority that
# is reset, splits without empty parts, and System.exit's replacement, which must throw.
off='-Xep:InconsistentCapitalization:OFF -Xep:JavaUtilDate:OFF -Xep:ThreadPriorityCheck:OFF -Xep:StringSplitter:OFF -Xep:DoNotCallSuggester:OFF'
find "$home/src" -name '*.java' | argument_file >"$scratch/sources"
"$javac" "$@" -XDcompilePolicy=simple --should-stop=ifError=FLOW -processorpath "$checks" "-Xplugin:ErrorProne $off" \
	--release 8 -Xlint:all -Xlint:-options,-processing -Werror -encoding UTF-8 -d "$scratch/classes" "@$scratch/sources" || exit 1
