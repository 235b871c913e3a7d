#!/bin/sh
# Lists the packages in KUBELESS_INSTALL_VOLUME, from .NET's own lists: that of a compiled function
# in `publish`, else that of the packages that install.sh restored.
set -eu

for list in "$KUBELESS_INSTALL_VOLUME"/publish/*.deps.json "$KUBELESS_INSTALL_VOLUME"/restored/obj/*/project.assets.json; do
	[ ! -f "$list" ] || break
done
[ -f "$list" ] || exit 0
awk -F '"' '
	/^ *"[^"\/]+\/[^"]+": \{/ { split($2, part, "/"); package = hash = "" }
	/"type": "package"/ { package = 1 }
	/"sha512": "/ { hash = $4; sub(/^sha512-/, "", hash) }
	package && hash != "" { print part[1], part[2], hash; package = "" }
' "$list" | while read -r name version hash; do
	hex=$(printf '%s' "$hash" | base64 -d | od -A n -v -t x1 | tr -d ' \n')
	printf '\t%s\t%s\tpkg:nuget/%s@%s\t\tSHA-512:%s\n' "$name" "$version" "$name" "$version" "$hex"
done
