#!/bin/sh
# Prints what, beside the project file, the result of installing and compiling depends on. An
# installer keeps results by it. "@folder" stands for all files in the function's folder.
set -eu

dotnet --version
env | grep -Ei '^(NUGET|DOTNET|MSBUILD)' | LC_ALL=C sort || :
cd "$(dirname "$KUBELESS_DEPS_FILE")"
if grep -Eiq '<(ProjectReference|Import) |HintPath' "$KUBELESS_DEPS_FILE" 2>/dev/null \
	|| grep -Ei '<add .*value=' [Nn]u[Gg]et.[Cc]onfig 2>/dev/null | grep -Eivq 'value="https?:'; then echo @folder; fi
