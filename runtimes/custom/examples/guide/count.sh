count() {
	stream
	for number in 1 2 3; do
		echo "$number"
		sleep 0.1 # seconds
	done
}
