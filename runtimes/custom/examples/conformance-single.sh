single() {
	printf 'the only one'
}
