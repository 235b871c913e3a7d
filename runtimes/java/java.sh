# shellcheck shell=sh disable=SC2154,SC2164 # the scripts that source this file set -e
# Sourced by the other scripts, which set $home. Finds Java, and computes the keys of the compile
# cache. Every start runs this, so it starts few processes.

file=${file:-}
if [ -n "${JAVA_HOME:-}" ]; then
	java=$JAVA_HOME/bin/java javac=$JAVA_HOME/bin/javac
else
	java=$(command -v java || true) javac=$(command -v javac || true)
fi

# Prints the key of the compiled worker: its sources, and the build of Java that compiles them.
worker_key() (
	at=${JAVA_HOME:-$(readlink -f "$java")}
	at=${at%/bin/java}
	if [ -f "$at/release" ]; then release=$at/release; else release=/dev/null; fi
	sources=$home/src/io/kubeless
	sum=$({ echo "$at" && cat "$release" "$home/build.sh" "$home/train.sh" "$sources"/*.java "$sources"/*/*.java; } | sha256sum)
	echo "${sum%"${sum#????????????????}"}"
)

# Prints the Java files of the working folder, without tests, hidden folders and build output; and
# $file, whatever its suffix is.
java_files() {
	find -L . -maxdepth 10 \( -name '.?*' -o -name node_modules -o -name target -o -path ./src/test -o -path ./function \) -prune \
		-o \( -name '*.java' -o -path "./${file##*/}" \) -type f -print | LC_ALL=C sort
}

# Prints the key of a folder's Java files: their names, their content and the other arguments.
source_key() (
	cd "$1"
	shift
	names=$(java_files)
	sum=$({ printf '%s\n' "$names" "$@" && printf '%s\n' "$names" | tr '\n' '\0' | xargs -0 cat; } | sha256sum)
	echo "${sum%"${sum#????????????????}"}"
)

# Joins the paths that exist to a class path, $path.
class_path() {
	path=
	for entry; do [ ! -e "$entry" ] || path=$path${path:+:}$entry; done
}

compile() {
	# Java 21 and 22 print a note if annotation processors run without this option, and 23 runs none
	# without it.
	processors=
	case $("$javac" -version 2>&1) in 'javac 2'[1-9]* | 'javac '[3-9][0-9]*) processors=-proc:full ;; esac
	"$javac" -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -encoding UTF-8 -g -parameters -nowarn ${processors:+"$processors"} "$@"
}

# Makes an argument file for javac of lines with one path each. Quoted: javac splits at blanks.
argument_file() {
	sed 's/[\\"]/\\&/g; s/.*/"&"/'
}
