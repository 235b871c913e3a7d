#!/bin/sh
# Installs Docker Engine, buildx and compose of Debian 13 on Debian 12, as root: Debian 12's are too
# old for bake. Uses the package source of this machine's apt, and does not change /etc/apt.
set -eu

side=${1:-/var/tmp/kubeless-engine}/apt
mkdir -p "$side/sources" "$side/preferences" "$side/lists/partial"

for file in /etc/apt/sources.list.d/*.sources; do
	[ -f "$file" ] || continue
	cp "$file" "$side/sources/"
	sed '/^Suites:/s/bookworm/trixie/g' "$file" >"$side/sources/newer-${file##*/}"
done
if [ -s /etc/apt/sources.list ]; then
	cp /etc/apt/sources.list "$side/sources/main.list"
	sed 's/bookworm/trixie/g' /etc/apt/sources.list >"$side/sources/newer.list"
fi

engine='docker.io docker-cli docker-buildx docker-compose containerd'
cat >"$side/preferences/newer" <<END
Package: *
Pin: release n=trixie*
Pin-Priority: 1

Package: $engine
Pin: release n=trixie*
Pin-Priority: 700
END
cat >"$side/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$side/sources";
Dir::Etc::preferencesparts "$side/preferences";
Dir::State::lists "$side/lists";
DPkg::Lock::Timeout "300";
END

export APT_CONFIG="$side/apt.conf" DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# mmdebstrap makes the base image of the stand-ins.
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $engine iptables mmdebstrap >"$side/install.log" 2>&1 || {
	tail -n 20 "$side/install.log" >&2
	exit 1
}
