# Sends one line per second.
ticks() {
	echo 'Content-Type: text/event-stream' >"$1/extensions/response/headers"
	stream
	for tick in 1 2 3 4 5; do
		printf 'data: %s\n\n' "$tick"
		sleep 1
	done
}
