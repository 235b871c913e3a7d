# shellcheck shell=sh disable=SC2154,SC2120
# What a function may call, beside reading its event's and its context's files.

# log TEXT…, or log <FILE: writes to the function's log. Standard output is the answer; standard error goes to the log as it is.
log() {
	# The last line is ended too: the loader waits for its end.
	if [ $# -gt 0 ]; then printf '%s\n' "$*"; else LC_ALL=C awk '{ print }'; fi >&4
}

# fail MESSAGE…, or fail <FILE: ends the call with an error.
fail() {
	if [ $# -gt 0 ]; then printf '%s' "$*" >"$wire/error"; else cat >"$wire/error"; fi
	exit 1
}

# stream: from here on, what is printed is sent as it is printed. Status and headers must stand before it.
stream() {
	echo stream >"$wire/news"
	exec >"$wire/stream"
}

# header NAME: a header of the request; fails where there is none.
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

# query NAME: a value of the query, decoded; fails where there is none.
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

# json FILE: the file's text as a JSON string, or null where there is no such file. Without a file: of standard input.
json() {
	if [ $# -eq 0 ]; then
		tr -d '\000' | LC_ALL=C awk -f "$wire_home/string.awk"
	elif [ -e "$1" ]; then
		json <"$1"
	else
		printf null
	fi
}
