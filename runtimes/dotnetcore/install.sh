#!/bin/sh
# Brings the packages that the project file KUBELESS_DEPS_FILE lists into KUBELESS_INSTALL_VOLUME: packages, and in restored the list of
# them that the compiler reads. Sources and keys are NuGet's to read, from nuget.config and its variables; NUGET_PACKAGES may name
# a folder of packages that many functions share.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
# Kubeless makes the file for every function, most often an empty one.
if [ ! -f "$KUBELESS_DEPS_FILE" ] || ! grep -q '[^[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi
if ! grep -q '<Project' "$KUBELESS_DEPS_FILE"; then
	echo "This is no project of .NET's, it has no <Project>: $(head -n 3 "$KUBELESS_DEPS_FILE")" >&2
	exit 1
fi
file=
. "$home/dotnet.sh"
find_sdk || { echo 'There is no .NET SDK: install one (https://dot.net).' >&2; exit 1; }

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
folder=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)
rm -rf "$volume/restored"
mkdir -p "$volume/restored"
printf '%s\n' "$volume" >"$volume/restored/volume"
printf '%s\n' "$folder" >"$volume/restored/folder"

export NUGET_PACKAGES="${NUGET_PACKAGES:-$volume/packages}"
set -- -nologo -v:quiet -nodeReuse:false -p:TargetFramework="$framework" -p:TargetFrameworks= -p:KubelessBuild="$volume/restored/" \
	-p:DirectoryBuildPropsPath="$home/project.props" -p:CustomAfterMicrosoftCommonTargets="$home/project.targets"
# What the lock says is what is installed, or nothing.
[ ! -s "$folder/packages.lock.json" ] || set -- "$@" --locked-mode
"$dotnet" restore "$folder/$(basename "$KUBELESS_DEPS_FILE")" "$@"
