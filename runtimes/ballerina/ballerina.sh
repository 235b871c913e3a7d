# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by the other scripts, which set $home. Finds Ballerina and Java, and computes the key that
# decides whether a function has to be compiled again.

# Whether only the command of Ballerina 0.975 to 0.983 is there. Swan Lake's command is bal.
is_older() { ! command -v bal >/dev/null && command -v ballerina >/dev/null; }

# Sets bal: the command of Swan Lake, else that of earlier versions.
find_bal() {
	bal=$(command -v bal || command -v ballerina) || return 1
	# bal keeps packages in HOME. The user may have no home folder.
	[ -w "${HOME:-/nonexistent}" ] || export HOME="${TMPDIR:-/tmp}"
}

# Sets java: that of JAVA_HOME, else the one in the Ballerina distribution, else the one on PATH.
find_java() {
	java=
	if [ -n "${JAVA_HOME:-}" ]; then
		java=$JAVA_HOME/bin/java
	elif find_bal; then
		for java in "$(dirname "$(readlink -f "$bal")")"/../dependencies/jdk*/bin/java; do :; done # the last one is the newest
	fi
	[ -x "$java" ] || java=$(command -v java) || return 1
}

# The command of earlier versions needs JAVA_HOME.
export_java_home() {
	[ -z "${JAVA_HOME:-}" ] || return 0
	java=$(command -v java) || return 1
	java=$(readlink -f "$java")
	export JAVA_HOME="${java%/bin/java}"
}

# Prints the version of Ballerina without starting bal, which takes a second.
bal_state() {
	at=$(readlink -f "$bal")
	echo "$at"
	cat "${at%/*}/../distributions/ballerina-version" "$HOME/.ballerina/ballerina-version" 2>/dev/null || :
	ls "${at%/*}/../bre/lib" 2>/dev/null || : # of earlier versions: the names have the version
}

# Prints the names of the function's source files, sorted: those of its package if the folder is
# one, else the file $1, or all Ballerina files if $1 is empty.
sources() {
	if [ -n "$1" ] && ! is_package; then
		echo "./${1##*/}"
		return
	fi
	if is_older; then set -- '*.bal' none none './*/tests'; else set -- './modules/*' './resources/*' ./Dependencies.toml none; fi
	find -L . -maxdepth 10 \( -name '.?*' -o -path ./target -o -path ./tests -o -path ./function -o -path "$4" \) -prune \
		-o -type f \( -path "$1" -o -path "$2" -o -path "$3" -o -name '*.bal' ! -path './*/*' -o -path ./Ballerina.toml \) -print |
		LC_ALL=C sort
}

# Kubeless creates Ballerina.toml for every function. It is empty if the function has none.
is_package() { [ -f Ballerina.toml ] && grep -q '[^[:space:]]' Ballerina.toml; }

# Prints a key of everything that the compiled function depends on: names and contents of the
# sources in folder $1 (file $2, or "" for all), the files of this folder, and the further
# arguments.
source_key() (
	cd "$1" || exit
	names=$(sources "$2")
	shift 2
	sum=$({
		printf '%s\n' "$names" "$@"
		printf '%s\n' "$names" | tr '\n' '\0' | xargs -0 cat
		cat "$home"/kubeless/*.bal "$home/service.bal" "$home"/older/kubeless/*.bal "$home/older/service.bal"
		cat "$home/package.sh" "$home/jar.sh" "$home/older/balx.sh"
	} | sha256sum)
	echo "${sum%"${sum#????????????????}"}"
)
