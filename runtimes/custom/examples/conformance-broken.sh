# Line 17 is a syntax error, which the tests need.

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
