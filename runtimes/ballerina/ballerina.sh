# shellcheck shell=sh disable=SC2034,SC2154
# Read by the other scripts, which set $home: where Ballerina and Java are, and what decides whether something is compiled anew.

# Sets bal.
find_bal() {
	bal=$(command -v bal) || return 1
	# It keeps packages there; any user may run this, one without a home as well.
	[ -w "${HOME:-/nonexistent}" ] || export HOME="${TMPDIR:-/tmp}"
}

# Sets java: the one that JAVA_HOME names, the one that Ballerina brings, or the one on PATH.
find_java() {
	java=
	if [ -n "${JAVA_HOME:-}" ]; then
		java=$JAVA_HOME/bin/java
	elif find_bal; then
		for java in "$(dirname "$(readlink -f "$bal")")"/../dependencies/jdk*/bin/java; do :; done # the newest is the last one
	fi
	[ -x "$java" ] || java=$(command -v java) || return 1
}

# Which Ballerina there is, without starting it: that takes a second.
bal_state() {
	at=$(readlink -f "$bal")
	echo "$at"
	cat "${at%/*}/../distributions/ballerina-version" "$HOME/.ballerina/ballerina-version" 2>/dev/null || :
}

# The function's own sources: those of its package, by name. Of a folder without a Ballerina.toml that says something it is the file $1,
# or all there are where that is empty.
sources() {
	if [ -n "$1" ] && ! is_package; then
		echo "./${1##*/}"
		return
	fi
	find -L . -maxdepth 10 \( -name '.?*' -o -path ./target -o -path ./tests -o -path ./function \) -prune \
		-o -type f \( -path './modules/*' -o -path './resources/*' -o -name '*.bal' ! -path './*/*' -o -path ./Ballerina.toml -o -path ./Dependencies.toml \) -print |
		LC_ALL=C sort
}

# Kubeless makes the file for every function, most often an empty one.
is_package() { [ -f Ballerina.toml ] && grep -q '[^[:space:]]' Ballerina.toml; }

# What decides about the result: the sources of the folder $1 (its file $2, or "" for all there are), by name and content, what they are
# compiled with, and more words.
source_key() (
	cd "$1" || exit
	names=$(sources "$2")
	shift 2
	sum=$({
		printf '%s\n' "$names" "$@"
		printf '%s\n' "$names" | tr '\n' '\0' | xargs -0 cat
		cat "$home"/kubeless/*.bal "$home/service.bal" "$home/package.sh"
	} | sha256sum)
	echo "${sum%"${sum#????????????????}"}"
)
