#!/bin/sh
# Prints what the installed and compiled files depend on beside pom.xml and the function's own
# files. An installer caches them by it. The word "@folder" stands for all files of the function's
# folder.
set -eu

java -version 2>&1
env | grep -E '^(MAVEN_|JAVA_|JDK_)' | LC_ALL=C sort || :
! grep -Eq '<(parent|module|systemPath|relativePath)|basedir|file:' "$KUBELESS_DEPS_FILE" 2>/dev/null || echo @folder
