#!/bin/sh
# Prints the bin folders of the JDKs that Debian's packages have installed. VERSIONS lists majors;
# without it, all.
for compiler in /usr/lib/jvm/*/bin/javac; do
	name=${compiler#/usr/lib/jvm/*-} # java-21-openjdk-amd64
	case " ${VERSIONS:-${name%%-*}} " in *" ${name%%-*} "*) [ ! -x "$compiler" ] || dirname "$compiler" ;; esac
done
