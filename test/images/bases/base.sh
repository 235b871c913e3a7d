#!/bin/sh
# Makes $1, a tar file like debian:bookworm-slim: a small Debian 12, from the package sources of
# this machine's apt.
set -eu

out=$1
# Uses a RAM disk if there is enough memory: twice as fast.
if [ -w /dev/shm ]; then
	TMPDIR=$(mktemp -d /dev/shm/base.XXXXXX)
	export TMPDIR
	trap 'rm -rf "$TMPDIR"' EXIT
	chmod 755 "$TMPDIR"
fi
sources=/etc/apt/sources.list.d/debian.sources
[ -f "$sources" ] || sources=/etc/apt/sources.list

# Writes to a file: with a pipe a failure would result in an empty image.
mmdebstrap --quiet --mode=root --variant=apt --format=tar --include=usr-is-merged \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
	--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
	bookworm "$out.part" "$sources"
mv "$out.part" "$out"
