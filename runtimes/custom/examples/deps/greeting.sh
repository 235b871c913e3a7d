greeting_for() {
	case $1 in
	it) echo ciao ;;
	sl) echo živjo ;;
	*) echo hello ;;
	esac
}
