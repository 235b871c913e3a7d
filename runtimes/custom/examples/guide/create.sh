create() {
	echo 201 >"$1/extensions/response/status"
	echo 'Location: /orders/7' >"$1/extensions/response/headers"
	echo created
}
