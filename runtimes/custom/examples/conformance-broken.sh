# Line 17 is a syntax error, and the file is not to be mended.

hello() {
	echo "hello"
}

another() {
	for word in one two; do
		echo "$word"
	done
}

third() {
	echo "third"
}

fourth() { echo ) }
