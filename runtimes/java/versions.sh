#!/bin/sh
# Prints the folders of executables of the JDKs that Debian's packages have put on this machine.
for compiler in /usr/lib/jvm/*/bin/javac; do
	if [ -x "$compiler" ]; then dirname "$compiler"; fi
done
