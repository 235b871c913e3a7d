#!/bin/sh
# Runs one phase, install or compile, of the one runtime in this image: its install command or compile.sh does the work, here is
# all that is the same for every language. README.md beside it has the variables.
set -eu
umask 022 # whoever serves the function may be another user

phase=$1
here=$(cd "$(dirname "$0")" && pwd -P)
# Other words are Kubeless's to give, and mean nothing: all they say is in variables.
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
	[ -f "$deps" ] || fail "There is no dependency file $deps: KUBELESS_DEPS_FILE has to name one."
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
note_what_is_there || cannot_write

if ! restore; then
	case $phase in
	install) run_words "$install" || failed $? ;;
	compile) run sh "$runtime/compile.sh" || failed $? ;;
	esac
	if ! { write_bom && note_what_was_made; }; then cannot_write; fi
	keep
fi
finish
