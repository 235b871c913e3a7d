#!/bin/sh
# Runs a command in a chroot of a Debian suite with those of some packages that it has, made if it is not there: debian.sh SUITE PLACE PACKAGES ROOT COMMAND …
# ROOT is the checkout, which has the same path in there. All mounts end with the command: PLACE may be deleted.
# shellcheck disable=SC2016 # what is quoted is for the shells that get it
set -eu

suite=$1 place=$2 packages=$3 root=$4
shift 4

if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
	echo "To run versions of Debian $suite, be root on Debian with mmdebstrap (apt-get install mmdebstrap)." >&2
	exit 1
fi

if ! [ -e "$place/usr/bin/apt-get" ]; then
	rm -rf "$place" "$place.new"
	mkdir -p "$(dirname "$place")"
	# What this release does not have, is not there; its languages are then told as missing.
	# No security updates: of a release that is over they may be gone, and nobody else uses this.
	PACKAGES=$packages mmdebstrap --quiet --variant=minbase --include=ca-certificates,procps \
		--setup-hook='sed -i /security/d "$1/etc/apt/sources.list"' --customize-hook='
		place=$1
		shift
		for package in $PACKAGES; do
			if chroot "$place" apt-cache show "$package" >/dev/null 2>&1; then set -- "$@" "$package"; fi
		done
		DEBIAN_FRONTEND=noninteractive chroot "$place" apt-get install -qq --no-install-recommends "$@" >/dev/null' \
		"$suite" "$place.new"
	mv "$place.new" "$place"
fi

# Never /dev: its nodes would be the machine's own.
exec unshare --mount --propagation private sh -eu -c '
	place=$1 root=$2
	shift 2
	mkdir -p "$place$root"
	mount --bind "$root" "$place$root"
	mount -t proc proc "$place/proc"
	mount -t tmpfs tmpfs "$place/tmp"
	# The machine may trust a registry that Debian does not know.
	mount --bind /etc/ssl/certs "$place/etc/ssl/certs"
	cat /etc/resolv.conf >"$place/etc/resolv.conf"
	exec chroot "$place" env HOME=/root TMPDIR=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd \"\$1\"; shift; exec \"\$@\"" sh "$root" "$@"
' sh "$place" "$root" "$@"
