#!/bin/sh
# Runs one phase, install or compile, of the runtime in this image. The runtime's install command or
# compile.sh does the work. The scripts in this folder do what is the same for all languages.
# README.md lists the variables.
set -eu
umask 022 # the function may be served by another user

phase=$1
here=$(cd "$(dirname "$0")" && pwd -P)
# Ignores other arguments: Kubeless's controller passes some, whose values are also in variables.
if [ "${2:-}" = --help ] || [ "${2:-}" = -h ]; then exec cat "$here/help"; fi
volume=${KUBELESS_INSTALL_VOLUME:-/kubeless}
terminationLog=${KUBELESS_TERMINATION_LOG:-/dev/termination-log}
scratch=''
. "$here/report.sh"
. "$here/manifest.sh"
. "$here/volume.sh"
. "$here/home.sh"
. "$here/cache.sh"
. "$here/bom.sh"

read_manifest
case $phase in
install)
	deps=${KUBELESS_DEPS_FILE:-$volume/$depsFile}
	[ -n "$install" ] || fail "The runtime $id installs nothing: $manifest has no \"install\"."
	[ -f "$deps" ] || fail "The dependency file $deps does not exist. Set KUBELESS_DEPS_FILE to its path."
	;;
compile)
	deps=$volume/$depsFile
	[ -f "$runtime/compile.sh" ] || fail "The runtime $id compiles nothing: there is no $runtime/compile.sh."
	;;
esac
enter_volume
export KUBELESS_INSTALL_VOLUME="${KUBELESS_INSTALL_VOLUME:-$volume}"
[ "$phase" = compile ] || export KUBELESS_DEPS_FILE="$deps"

make_scratch
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT HUP
make_home
clean_volume
list_before || cannot_write

if ! restore; then
	case $phase in
	install) run_command "$install" || failed $? ;;
	compile) run sh "$runtime/compile.sh" || failed $? ;;
	esac
	if ! { write_bom && list_made; }; then cannot_write; fi
	keep
fi
finish
