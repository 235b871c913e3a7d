# shellcheck shell=sh disable=SC2154
# Sourced by start.sh: runs function.balx with the command of Ballerina 0.975 to 0.983.

is_older && find_bal || failed 'The function was compiled by Ballerina 0.98 or 0.975, and there is no such ballerina to run it.'
export_java_home || failed 'Java is not there: install Java 8, or set JAVA_HOME.'
set -- run
for name in kubeless.toml ballerina.conf; do
	if [ -f "$folder/$name" ]; then
		set -- run --config "$folder/$name" # options come before the program
		break
	fi
done
export JAVA_OPTS="-Xms16m $options -XX:-HeapDumpOnOutOfMemoryError ${JAVA_OPTS:-}"

# The command is a script that sets a heap of 1 GiB and waits for Java. Java takes its place here,
# so that the loader's signals reach it, and the heap depends on the container.
command=$(readlink -f "$bal")
script=$(sed -e 's/-Xms256m -Xmx1024m//' -e 's/^\$JAVACMD/exec &/' "$command")
exec bash -c "$script" "$command" "$@" "$function/function.balx"
