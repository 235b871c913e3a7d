#!/bin/sh
# Prints the modules in $KUBELESS_INSTALL_VOLUME/server, which Go has recorded in that file, for the
# bill of materials of an installer.
set -eu

server=$KUBELESS_INSTALL_VOLUME/server
[ -f "$server" ] || exit 0
go version -m "$server" | awk -F '\t' '
	function print_module() { if (name != "" && version !~ /devel/) printf "\t%s\t%s\tpkg:golang/%s@%s\t\t\n", name, version, name, version; name = "" }
	NR == 1 { language = $1; sub(/.*: go/, "", language); printf "\tstdlib\t%s\tpkg:golang/stdlib@%s\t\t\n", language, language }
	$2 == "dep" { print_module(); name = $3; version = $4 }
	$2 == "=>" { name = $3; version = $4 } # a folder in the place of a module has no version
	$2 == "=>" && version == "" { name = "" }
	END { print_module() }
'
