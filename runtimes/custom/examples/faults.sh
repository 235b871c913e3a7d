# shellcheck shell=sh
# The function of test/chaos, whose README describes it.

version=one

notes() {
	read -r id action number <"$1/data"
	line="$id $version"
	echo "$line" >>"$FAULTS_NOTES/$$" || return
	case $action in
	echo) cat "$1/data" ;;
	sleep) sleep "$(awk -v ms="$number" 'BEGIN { print ms / 1000 }')" && echo "$line" ;;
	stream) stream && _lines ;;
	raise) fail "$id" ;;
	die) kill -KILL "$$" ;;
	hoard) dd if=/dev/zero of=/dev/null bs=1048576G count=1 2>&1 ;;
	print) dd if=/dev/zero bs=1 count="$number" 2>/dev/null | tr '\000' '\377' >&2 && echo "$line" ;;
	spawn) sleep 30 >/dev/null 2>&1 & echo "$line" ;;
	answer) _lines ;;
	*) echo "$line" ;;
	esac
}

_lines() { awk -v line="$line" -v n="$number" 'BEGIN { while (n-- > 0) print line }'; }
