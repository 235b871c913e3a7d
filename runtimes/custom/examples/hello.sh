hello() {
	echo "hello world"
}
