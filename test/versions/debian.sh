#!/bin/sh
# debian.sh SUITE PLACE PACKAGES ROOT COMMAND…: runs COMMAND in a chroot of a Debian suite, with
# those of PACKAGES that the suite has. Makes the chroot in PLACE if it does not exist. ROOT is the
# checkout, which has the same path in the chroot. The mounts are in a mount namespace of their own
# and end with COMMAND.
# shellcheck disable=SC2016 # the quoted scripts are for other shells
set -eu

suite=$1 place=$2 packages=$3 root=$4
shift 4

if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
	echo "To run versions of Debian $suite, be root on Debian with mmdebstrap (apt-get install mmdebstrap)." >&2
	exit 1
fi

# An interrupted run may leave mounts: removing PLACE would then delete the files of the machine, or
# of the checkout.
left=$(awk -v place="$(readlink -m "$place")" '$5 == place || index($5, place "/") == 1 || index($5, place ".new/") == 1 { print $5 }' /proc/self/mountinfo)
if [ -n "$left" ]; then
	printf 'Mounts of an earlier run are left in %s. Unmount them (umount PATH) and start again:\n%s\n' "$place" "$left" >&2
	exit 1
fi

if ! [ -e "$place/usr/bin/apt-get" ]; then
	rm -rf --one-file-system "$place" "$place.new"
	mkdir -p "$(dirname "$place")"
	# Packages that this suite does not have are skipped: the tests report their languages as missing.
	# No security updates: they may be gone for an old suite, and the chroot is used for tests only.
	PACKAGES=$packages mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --include=ca-certificates,procps \
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

# Does not mount /dev: its nodes would be the machine's own.
exec unshare --mount --propagation private sh -eu -c '
	place=$1 root=$2
	shift 2
	mkdir -p "$place$root"
	mount --bind "$root" "$place$root"
	mount -t proc proc "$place/proc"
	mount -t tmpfs tmpfs "$place/tmp"
	# The machine may trust certificate authorities that Debian does not have.
	mount --bind /etc/ssl/certs "$place/etc/ssl/certs"
	cat /etc/resolv.conf >"$place/etc/resolv.conf"
	exec chroot "$place" env HOME=/root TMPDIR=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd \"\$1\"; shift; exec \"\$@\"" sh "$root" "$@"
' sh "$place" "$root" "$@"
