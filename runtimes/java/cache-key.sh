#!/bin/sh
# Prints what decides, beside pom.xml and the function's own files, what is installed and compiled: an installer keeps results by it.
# "@folder" stands for everything in the function's folder.
set -eu

java -version 2>&1
env | grep -E '^(MAVEN_|JAVA_|JDK_)' | LC_ALL=C sort || :
! grep -Eq '<(parent|module|systemPath|relativePath)|basedir|file:' "$KUBELESS_DEPS_FILE" 2>/dev/null || echo @folder
