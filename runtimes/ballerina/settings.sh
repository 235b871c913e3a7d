# shellcheck shell=sh
# Sourced by compile.sh. Ballerina takes its token and proxy from ~/.ballerina/Settings.toml, and
# from no variable. This makes that file of a Settings.toml in HOME, where a secret of the
# installer's phase is mounted, or else of HTTPS_PROXY.

if [ ! -f "$HOME/.ballerina/Settings.toml" ]; then
	proxy=${HTTPS_PROXY:-${https_proxy:-${HTTP_PROXY:-${http_proxy:-}}}}
	if [ -f "$HOME/Settings.toml" ]; then
		mkdir -p "$HOME/.ballerina"
		cp "$HOME/Settings.toml" "$HOME/.ballerina/"
	elif [ -n "$proxy" ]; then
		mkdir -p "$HOME/.ballerina"
		printf '%s\n' "$proxy" | awk '{
			sub(/^[a-z]+:\/\//, "")
			sub(/\/.*/, "")
			user = password = ""
			if (match($0, /.*@/)) { user = substr($0, 1, RLENGTH - 1); $0 = substr($0, RLENGTH + 1) }
			if (match(user, /:/)) { password = substr(user, RSTART + 1); user = substr(user, 1, RSTART - 1) }
			port = 80
			if (match($0, /:[0-9]+$/)) { port = substr($0, RSTART + 1); $0 = substr($0, 1, RSTART - 1) }
			printf "[proxy]\nhost = \"%s\"\nport = %s\nusername = \"%s\"\npassword = \"%s\"\n", $0, port, user, password
		}' >"$HOME/.ballerina/Settings.toml"
	fi
fi
