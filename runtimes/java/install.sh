#!/bin/sh
# Installs the jars that the pom.xml KUBELESS_DEPS_FILE lists into KUBELESS_INSTALL_VOLUME/lib, and
# those that only the compiler needs (scope provided) into lib-compile; lib/dependencies.txt lists
# their names. Maven reads its own settings and MAVEN_OPTS. A settings.xml in HOME is read too, and
# the proxy variables, which Maven does not know.
set -eu

# Kubeless makes this file for every function; without dependencies it is empty.
if [ -e "$KUBELESS_DEPS_FILE" ] && ! grep -q '[^[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi

home=$(cd "$(dirname "$0")" && pwd)
volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
file=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)/$(basename "$KUBELESS_DEPS_FILE")

if ! grep -q '<project' "$file"; then
	echo "This is no Maven project, it has no <project>: $(head -n 3 "$file")" >&2
	exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# A short run needs no second compiler and no second thread for garbage.
export MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS:-}"

# The user may have no home. Java takes the home from the list of users, not from HOME.
[ -w "${HOME:-/nonexistent}" ] || export HOME="${TMPDIR:-/tmp}"
case $HOME in
*[[:space:]]*) ;; # mvn splits MAVEN_OPTS at blanks
*) export MAVEN_OPTS="-Duser.home=$HOME ${MAVEN_OPTS:-}" ;;
esac

# The image has the plugins below, 51 jars. Copied, because any user may run this, and Maven writes
# to its repository.
local=$HOME/.m2/repository
if [ -d "$home/repository" ] && [ ! -e "$local" ]; then
	mkdir -p "$HOME/.m2"
	cp -R "$home/repository" "$local"
fi

# Prints the element <proxy> for the address $2 of the protocol $1: http://user:password@proxy:3128.
# Maven takes user and password from the environment, so that they need no XML escapes.
proxy() {
	address=${2#*://}
	user=
	case $address in *@*) user=${address%@*} ;; esac
	address=${address##*@}
	address=${address%%/*}
	port=80
	case $address in *:*) port=${address##*:} ;; esac
	direct=$(printf '%s' "${NO_PROXY:-${no_proxy:-}}" | sed -E 's/[, ]+/|/g; s/(^|\|)\./\1*./g')
	echo "<proxy><id>$1</id><protocol>$1</protocol><host>${address%:*}</host><port>$port</port><nonProxyHosts>$direct</nonProxyHosts>"
	if [ -n "$user" ]; then
		export "PROXY_USER_$1=${user%%:*}"
		case $user in *:*) export "PROXY_PASSWORD_$1=${user#*:}" ;; *) export "PROXY_PASSWORD_$1=" ;; esac
		echo "<username>\${env.PROXY_USER_$1}</username><password>\${env.PROXY_PASSWORD_$1}</password>"
	fi
	echo '</proxy>'
}

https=${HTTPS_PROXY:-${https_proxy:-}} http=${HTTP_PROXY:-${http_proxy:-}}
proxies=
if [ -n "$https$http" ] && ! grep -qs '<proxy>' "$HOME/settings.xml" "$HOME/.m2/settings.xml"; then
	proxies=$scratch/proxies.xml
	echo '<settings><proxies>' >"$proxies"
	[ -z "$https" ] || proxy https "$https" >>"$proxies"
	[ -z "$http" ] || proxy http "$http" >>"$proxies"
	echo '</proxies></settings>' >>"$proxies"
fi

# Java does not read SSL_CERT_FILE: the certificates of ca.crt go into a copy of Java's own store.
if [ -f "$HOME/ca.crt" ]; then
	awk -v "place=$scratch/authority-" '/BEGIN CERTIFICATE/ { count++ } count { print > (place count ".crt") }' "$HOME/ca.crt"
	java=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
	for store in "$java/lib/security/cacerts" "$java/jre/lib/security/cacerts"; do
		[ ! -f "$store" ] || cat "$store" >"$scratch/cacerts"
	done
	for one in "$scratch"/authority-*.crt; do
		[ -f "$one" ] || continue
		if ! output=$(keytool -importcert -noprompt -storepass changeit -keystore "$scratch/cacerts" -alias "${one##*/}" -file "$one" 2>&1); then
			printf '%s\n' "$output" >&2
			exit 1
		fi
	done
	export MAVEN_OPTS="-Djavax.net.ssl.trustStore=$scratch/cacerts ${MAVEN_OPTS:-}"
fi

settings=
[ ! -f "$HOME/settings.xml" ] || settings=$HOME/settings.xml
maven() {
	mvn --quiet --batch-mode --strict-checksums -Dstyle.color=never \
		${settings:+--settings "$settings"} ${proxies:+--global-settings "$proxies"} "$@"
}

# Functions for Kubeless name a parent and a library (io.kubeless:params) that no repository has.
# The worker replaces both, so an empty parent and an empty jar are enough.
if grep -q '<groupId>[[:space:]]*io\.kubeless' "$file" && [ ! -d "$local/io/kubeless/params" ]; then
	put() {
		(cd "$scratch" && maven org.apache.maven.plugins:maven-install-plugin:3.1.3:install-file \
			-Dfile="$1" -DgroupId=io.kubeless -DartifactId="$2" -Dversion=1.0-SNAPSHOT -Dpackaging="${1##*.}")
	}
	echo '<project><modelVersion>4.0.0</modelVersion><groupId>io.kubeless</groupId><artifactId>kubeless</artifactId><version>1.0-SNAPSHOT</version><packaging>pom</packaging></project>' >"$scratch/kubeless.pom"
	printf 'PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' >"$scratch/params.jar"
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
