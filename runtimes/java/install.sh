#!/bin/sh
# Puts the jars that the pom.xml KUBELESS_DEPS_FILE lists into KUBELESS_INSTALL_VOLUME/lib, and those that only the compiler
# needs (scope provided) into lib-compile; their names go into lib/dependencies.txt. Maven's settings are Maven's to read, MAVEN_OPTS
# among them. A settings.xml in HOME counts too, and where there is none HTTPS_PROXY, HTTP_PROXY and NO_PROXY, which Maven does not know.
set -eu

# Kubeless makes the file for every function, most often an empty one.
if [ -e "$KUBELESS_DEPS_FILE" ] && ! grep -q '[^[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
file=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)/$(basename "$KUBELESS_DEPS_FILE")

if ! grep -q '<project' "$file"; then
	echo "This is no Maven project, it has no <project>: $(head -n 3 "$file")" >&2
	exit 1
fi

# Any user may run this, one without a home as well; Java looks for it in the list of users, not in HOME.
[ -w "${HOME:-/nonexistent}" ] || export HOME="${TMPDIR:-/tmp}"
case $HOME in
*[[:space:]]*) ;; # mvn takes MAVEN_OPTS apart at blanks
*) export MAVEN_OPTS="-Duser.home=$HOME ${MAVEN_OPTS:-}" ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. "$(dirname "$0")/maven.sh"

# Functions for Kubeless name a parent and a library of its own, which no repository has: the worker is in their place.
if grep -q '<groupId>[[:space:]]*io\.kubeless' "$file"; then
	put() {
		(cd "$scratch" && maven org.apache.maven.plugins:maven-install-plugin:3.1.3:install-file \
			-Dfile="$1" -DgroupId=io.kubeless -DartifactId="$2" -Dversion=1.0-SNAPSHOT -Dpackaging="${1##*.}")
	}
	echo '<project><modelVersion>4.0.0</modelVersion><groupId>io.kubeless</groupId><artifactId>kubeless</artifactId><version>1.0-SNAPSHOT</version><packaging>pom</packaging></project>' >"$scratch/kubeless.pom"
	printf 'PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' >"$scratch/params.jar" # with nothing in it
	put kubeless.pom kubeless
	put params.jar params
fi

plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
copy() {
	maven --file "$file" "$plugin:copy-dependencies" "$plugin:list" -DincludeScope="$1" -DoutputDirectory="$2" \
		-DexcludeGroupIds=io.kubeless -Dmdep.prependGroupId=true -DoutputFile="$2/dependencies.txt"
}

copy runtime "$volume/lib"
if grep -q '<scope>[[:space:]]*provided' "$file"; then copy compile "$volume/lib-compile"; fi
