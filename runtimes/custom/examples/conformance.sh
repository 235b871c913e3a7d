# shellcheck shell=sh disable=SC2154,SC2264
# The handlers of docs/conformance.md.

log "conformance loaded"
state=$wire/state
mkdir "$state"
echo 0 >"$state/count"

echoes() { cat "$1/data"; }

types() {
	printf '{"id":%s,"type":%s,"time":%s,"namespace":%s,"data":%s,"source":%s}' "$(json "$1/event-id")" "$(json "$1/event-type")" \
		"$(json "$1/event-time")" "$(json "$1/event-namespace")" "$(json "$1/data")" "$(json "$1/extensions/source")"
}

context() {
	printf '{"function-name":%s,"timeout":%s,"runtime":%s,"memory-limit":%s}' "$(json "$2/function-name")" "$(json "$2/timeout")" \
		"$(json "$2/runtime")" "$(json "$2/memory-limit")"
}

request() {
	value=$(query x) && value=$(printf '%s' "$value" | json) || value=null
	name=$(header X-Name) && name=$(printf '%s' "$name" | json) || name=null
	printf '{"method":%s,"path":%s,"query":%s,"header":%s}' "$(json "$1/extensions/request/method")" \
		"$(json "$1/extensions/request/path")" "$value" "$name"
}

headers() {
	echo 201 >"$1/extensions/response/status"
	cat >"$1/extensions/response/headers" <<-HEADERS
		Content-Type: text/plain
		X-Name: Ada
		Set-Cookie: a=1
		Set-Cookie: b=2
	HEADERS
	printf made
}

bytes() { LC_ALL=C awk 'BEGIN { for (i = 0; i < 256; i++) printf "\\%03o", i }' | { read -r all; printf "$all"; }; }

_digits() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i += 10) printf "0123456789" }'; }

big() { _digits "$(cat "$1/data")"; }

streams() {
	read -r count length pause raise <"$1/data" || :
	stream
	number=0
	while [ "$number" -lt "$count" ]; do
		[ "$number" -eq 0 ] || sleep "$(_seconds "$pause")"
		dd if=/dev/zero bs="$length" count=1 2>/dev/null | tr '\000' "$((number % 10))"
		number=$((number + 1))
	done
	[ "$raise" != raise ] || fail "broken off"
}

# ms to seconds
_seconds() { printf '%d.%03d' "$(($1 / 1000))" "$(($1 % 1000))"; }

raises() { fail <"$1/data"; }

exits() { exit 0; }

recurses() { recurses "$@"; }

nonsense() { echo "not a status" >"$1/extensions/response/status"; }

sleeps() {
	sleep "$(_seconds "$(cat "$1/data")")"
	printf 'slept'
}

prints() {
	log <"$1/data"
	awk '{ print }' "$1/data" >&2
	printf printed
}

unicode() {
	[ "$(cat "$1/data")" != raise ] || fail "čšž ελ 日本 🎉"
	log "čšž ελ 日本 🎉"
	printf 'čšž ελ 日本 🎉'
}

stdin() { cat; }

spawns() {
	if [ "$(cat "$1/data")" = fork ]; then (sleep 30) & else sleep 30 & fi
	printf '%s' "$!"
}

counts() {
	read -r count <"$state/count"
	echo "$((count + 1))" | tee "$state/count" | tr -d '\n'
}

dies() { kill -KILL "$$"; }
