#!/bin/sh
# Prints the bin folders of the JDKs that Debian's packages have installed.
for compiler in /usr/lib/jvm/*/bin/javac; do
	if [ -x "$compiler" ]; then dirname "$compiler"; fi
done
