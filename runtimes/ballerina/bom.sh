#!/bin/sh
# Lists the packages in KUBELESS_INSTALL_VOLUME/function/function.jar, from the Dependencies.toml
# that Ballerina wrote.
set -eu

file=$KUBELESS_INSTALL_VOLUME/function/Dependencies.toml
[ -f "$file" ] || exit 0
awk '
	function text(line) { sub(/^[^=]*=[ \t]*"/, "", line); sub(/".*/, "", line); return line }
	function print_package() { if (name != "" && !own) printf "%s\t%s\t%s\tpkg:generic/%s/%s@%s\t\t\n", org, name, version, org, name, version; name = ""; own = 0 }
	/^[ \t]*\[\[/ { print_package() }
	/^org[ \t]*=/ { org = text($0) }
	/^name[ \t]*=/ { name = text($0) }
	/^version[ \t]*=/ { version = text($0) }
	/moduleName = "[^"]*\.kubeless"/ { own = 1 } # the package of the function itself
	END { print_package() }
' "$file"
