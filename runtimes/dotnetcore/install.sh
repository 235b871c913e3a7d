#!/bin/sh
# Installs the packages of the project file KUBELESS_DEPS_FILE into KUBELESS_INSTALL_VOLUME: the
# packages into `packages`, and the list of them that the compiler reads into `restored`. NuGet
# reads sources and keys from nuget.config and its own variables. NUGET_PACKAGES may name a folder
# of packages that many functions share.
set -eu

home=$(cd "$(dirname "$0")" && pwd)
# Kubeless makes an empty file for functions without dependencies.
if [ ! -f "$KUBELESS_DEPS_FILE" ] || ! grep -q '[^[:space:]]' "$KUBELESS_DEPS_FILE"; then exit 0; fi
if ! grep -q '<Project' "$KUBELESS_DEPS_FILE"; then
	echo "The project file is not a .NET project: it has no <Project>. It begins with: $(head -n 3 "$KUBELESS_DEPS_FILE")" >&2
	exit 1
fi
file=
. "$home/dotnet.sh"
find_sdk || { echo "Cannot install packages: $missing." >&2; exit 1; }

volume=$(cd "$KUBELESS_INSTALL_VOLUME" && pwd)
folder=$(cd "$(dirname "$KUBELESS_DEPS_FILE")" && pwd)
rm -rf "$volume/restored"
mkdir -p "$volume/restored"
printf '%s\n' "$volume" >"$volume/restored/volume"
printf '%s\n' "$folder" >"$volume/restored/folder"

export NUGET_PACKAGES="${NUGET_PACKAGES:-$volume/packages}"
set -- -nologo -v:quiet -nodeReuse:false -p:TargetFramework="$framework" -p:TargetFrameworks= -p:KubelessBuild="$volume/restored/" \
	-p:DirectoryBuildPropsPath="$home/project.props" -p:CustomAfterMicrosoftCommonTargets="$home/project.targets"
# Installs exactly what the lock file says, or fails.
[ ! -s "$folder/packages.lock.json" ] || set -- "$@" --locked-mode
"$dotnet" restore "$folder/$(basename "$KUBELESS_DEPS_FILE")" "$@"
