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

settings=''
if [ -f "$HOME/settings.xml" ]; then
	settings=$HOME/settings.xml
elif [ ! -f "$HOME/.m2/settings.xml" ] && [ -n "${HTTPS_PROXY:-${https_proxy:-${HTTP_PROXY:-${http_proxy:-}}}}" ]; then
	settings=$scratch/settings.xml
	{
		echo '<settings><proxies>'
		[ -z "${HTTPS_PROXY:-${https_proxy:-}}" ] || proxy_element https "${HTTPS_PROXY:-${https_proxy:-}}"
		[ -z "${HTTP_PROXY:-${http_proxy:-}}" ] || proxy_element http "${HTTP_PROXY:-${http_proxy:-}}"
		echo '</proxies></settings>'
	} >"$settings"
fi

maven() {
	mvn --quiet --batch-mode --strict-checksums -Dstyle.color=never ${settings:+--settings "$settings"} "$@"
}
