# Read by the other scripts, which set $home: which Java there is, and what decides whether something is compiled anew. Every start comes
# through here, so there are few processes in it.

file=${file:-}
if [ -n "${JAVA_HOME:-}" ]; then
	java=$JAVA_HOME/bin/java javac=$JAVA_HOME/bin/javac
else
	java=$(command -v java || true) javac=$(command -v javac || true)
fi

# Compiled code and archives of classes are kept by what they were made from, and by the build of Java that made them.
worker_key() (
	at=${JAVA_HOME:-$(readlink -f "$java")}
	at=${at%/bin/java}
	if [ -f "$at/release" ]; then release=$at/release; else release=/dev/null; fi
	sum=$({ echo "$at" && cat "$release" "$home/build.sh" "$home/rehearse.sh" "$home"/src/io/kubeless/*.java "$home"/src/io/kubeless/worker/*.java; } | sha256sum)
	echo "${sum%"${sum#????????????????}"}"
)

# The Java files of the working folder, by name; without those of tests and what builds leave behind. $file need not be
# called like one.
java_files() {
	find -L . -maxdepth 10 \( -name '.?*' -o -name node_modules -o -name target -o -path ./src/test -o -path ./function \) -prune \
		-o \( -name '*.java' -o -path "./${file##*/}" \) -type f -print | LC_ALL=C sort
}

# The content of a folder's Java files, and their names; more words change it too.
source_key() (
	cd "$1"
	shift
	names=$(java_files)
	sum=$({ printf '%s\n' "$names" "$@" && printf '%s\n' "$names" | tr '\n' '\0' | xargs -0 cat; } | sha256sum)
	echo "${sum%"${sum#????????????????}"}"
)

# Joins those of the paths that are there into a class path.
class_path() {
	path=
	for entry; do [ ! -e "$entry" ] || path=$path${path:+:}$entry; done
}

compile() {
	# From Java 21 on it can be told to run annotation processors, and from 23 on it has to be.
	processors=
	case $("$javac" -version 2>&1) in 'javac 2'[1-9]* | 'javac '[3-9][0-9]*) processors=-proc:full ;; esac
	"$javac" -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -encoding UTF-8 -g -parameters -nowarn ${processors:+"$processors"} "$@"
}
