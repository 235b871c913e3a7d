#!/bin/sh
# fetch.sh FOLDER: unpacks Debian's containerd, runc and CNI plugins into FOLDER, beside the system,
# whose apt is not changed. The kubelet needs containerd 2, which Debian has since release 14. runc
# and the plugins come from this machine's release.
set -eu

folder=$1
newer=forky
side=$folder/apt
mkdir -p "$side/sources" "$side/lists/partial" "$folder/deb"

# Only the main archive of the newer release: it has no security archive before its publication.
for file in /etc/apt/sources.list.d/*.sources; do
	[ -f "$file" ] || continue
	cp "$file" "$side/sources/"
	awk 'BEGIN { RS = ""; ORS = "\n\n" } !/Suites:[^\n]*-security/' "$file" |
		sed "s/^Suites:.*/Suites: $newer/" >"$side/sources/newer-${file##*/}"
done
if [ -s /etc/apt/sources.list ]; then
	cp /etc/apt/sources.list "$side/sources/main.list"
	sed -n "/-security/d; /-updates/d; s/^\(deb [^#]*\) [a-z]* main.*/\1 $newer main/p" /etc/apt/sources.list >"$side/sources/newer.list"
fi
cat >"$side/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$side/sources";
Dir::State::lists "$side/lists";
APT::Sandbox::User "root";
END

. /etc/os-release
export APT_CONFIG="$side/apt.conf"
apt-get update -qq
cd "$folder/deb"
apt-get download -qq "containerd/$newer" "runc/$VERSION_CODENAME" "containernetworking-plugins/$VERSION_CODENAME"
for package in *.deb; do
	dpkg -x "$package" "$folder"
done
rm -rf "$folder/deb" "$side"
