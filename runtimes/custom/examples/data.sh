# Returns the body, the event's id and a value of the query.
data() {
	log "a body of $(wc -c <"$1/data") bytes"
	printf '{"data":%s,"id":%s,"name":%s}\n' "$(json "$1/data")" "$(json "$1/event-id")" "$(query name | json)"
	echo 'Content-Type: application/json' >"$1/extensions/response/headers"
}
