greet() {
	name=$(sed -n 's/.*"name": *"\([^"]*\)".*/\1/p' "$1/data")
	echo 'Content-Type: application/json' >"$1/extensions/response/headers"
	printf '{"hello":%s}' "$(printf %s "$name" | json)"
}
