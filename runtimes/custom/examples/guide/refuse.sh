refuse() {
	fail 'no such order'
}
