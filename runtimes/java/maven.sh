# shellcheck shell=sh disable=SC2154
# Read by install.sh, which sets $scratch: maven, with what surrounds it.

# Of an address such as http://user:password@proxy:3128 the element <proxy> for it.
proxy_element() {
	printf '%s\n' "$2" | awk -v protocol="$1" -v direct="${NO_PROXY:-${no_proxy:-}}" '{
		sub(/^[a-z]+:\/\//, "")
		sub(/\/.*/, "")
		user = ""
		if (match($0, /.*@/)) { user = substr($0, 1, RLENGTH - 1); $0 = substr($0, RLENGTH + 1) }
		port = 80
		if (match($0, /:[0-9]+$/)) { port = substr($0, RSTART + 1); $0 = substr($0, 1, RSTART - 1) }
		gsub(/[, ]+/, "|", direct)
		gsub(/(^|\|)\./, "&*.", direct) # .local is *.local here
		gsub(/\.\*\./, "*.", direct)
		printf "<proxy><id>%s</id><protocol>%s</protocol><host>%s</host><port>%s</port>", protocol, protocol, $0, port
		if (user != "") {
			password = user
			sub(/:.*/, "", user)
			sub(/^[^:]*:?/, "", password)
			printf "<username>%s</username><password>%s</password>", user, password
		}
		printf "<nonProxyHosts>%s</nonProxyHosts></proxy>", direct
	}'
}

# One settings file is the user's, for passwords and mirrors, another one has the proxies that variables name.
settings=''
[ ! -f "$HOME/settings.xml" ] || settings=$HOME/settings.xml
proxies=''
if [ -n "${HTTPS_PROXY:-${https_proxy:-${HTTP_PROXY:-${http_proxy:-}}}}" ] && ! grep -qs '<proxy>' "$HOME/settings.xml" "$HOME/.m2/settings.xml"; then
	proxies=$scratch/proxies.xml
	{
		echo '<settings><proxies>'
		[ -z "${HTTPS_PROXY:-${https_proxy:-}}" ] || proxy_element https "${HTTPS_PROXY:-${https_proxy:-}}"
		[ -z "${HTTP_PROXY:-${http_proxy:-}}" ] || proxy_element http "${HTTP_PROXY:-${http_proxy:-}}"
		echo '</proxies></settings>'
	} >"$proxies"
fi

# Java reads no SSL_CERT_FILE: what was given beside the system's goes into a store beside Java's own.
if [ -f "$HOME/ca.crt" ]; then
	awk -v "place=$scratch/authority-" '/BEGIN CERTIFICATE/ { count++ } count { print > (place count ".crt") }' "$HOME/ca.crt"
	java=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
	for store in "$java/lib/security/cacerts" "$java/jre/lib/security/cacerts"; do
		[ ! -f "$store" ] || cat "$store" >"$scratch/cacerts"
	done
	for one in "$scratch"/authority-*.crt; do
		[ -f "$one" ] || continue
		if ! said=$(keytool -importcert -noprompt -storepass changeit -keystore "$scratch/cacerts" -alias "${one##*/}" -file "$one" 2>&1); then
			printf '%s\n' "$said" >&2
			exit 1
		fi
	done
	export MAVEN_OPTS="-Djavax.net.ssl.trustStore=$scratch/cacerts ${MAVEN_OPTS:-}"
fi

maven() {
	mvn --quiet --batch-mode --strict-checksums -Dstyle.color=never \
		${settings:+--settings "$settings"} ${proxies:+--global-settings "$proxies"} "$@"
}
