# shellcheck shell=sh disable=SC2154,SC2120
# The commands for functions.

# log TEXT…, or log <FILE: writes to the function's log. Standard error goes to the log too.
log() {
	# awk ends the last line: the loader waits for a line break.
	if [ $# -gt 0 ]; then printf '%s\n' "$*"; else LC_ALL=C awk '{ print }'; fi >&4
}

# fail MESSAGE…, or fail <FILE: ends the call with an error.
fail() {
	if [ $# -gt 0 ]; then printf '%s' "$*" >"$wire/error"; else cat >"$wire/error"; fi
	exit 1
}

# stream: sends what is printed from now on at once. Status and headers must be set before.
stream() {
	echo stream >"$wire/news"
	exec >"$wire/stream"
}

# header NAME: prints a header of the request; fails if it is absent.
header() {
	LC_ALL=C awk -v name="$1" '
		BEGIN { name = tolower(name) }
		(colon = index($0, ":")) && tolower(substr($0, 1, colon - 1)) == name {
			value = substr($0, colon + 1)
			gsub(/^[ \t]+|[ \t\r]+$/, "", value)
			print value
			found = 1
			exit
		}
		END { exit !found }' "$wire/event/extensions/request/headers"
}

# query NAME: prints a decoded value of the query; fails if it is absent.
query() {
	[ -e "$wire/event/extensions/request/query" ] || return 1
	LC_ALL=C awk -v name="$1" '
		BEGIN { RS = "&"; for (i = 0; i < 256; i++) byte[sprintf("%02X", i)] = sprintf("%c", i) }
		function decoded(text,    parts, n, i, out) {
			gsub(/\+/, " ", text)
			n = split(text, parts, "%")
			out = parts[1]
			for (i = 2; i <= n; i++) {
				code = toupper(substr(parts[i], 1, 2))
				out = out (code in byte ? byte[code] substr(parts[i], 3) : "%" parts[i])
			}
			return out
		}
		{ equals = index($0 "=", "="); if (decoded(substr($0, 1, equals - 1)) == name) { print decoded(substr($0, equals + 1)); found = 1; exit } }
		END { exit !found }' "$wire/event/extensions/request/query"
}

# json [FILE]: prints a file, else standard input, as a JSON string; null if the file does not
# exist.
json() {
	if [ $# -eq 0 ]; then
		tr -d '\000' | LC_ALL=C awk -f "$wire_home/string.awk"
	elif [ -e "$1" ]; then
		json <"$1"
	else
		printf null
	fi
}
