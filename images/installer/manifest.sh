# shellcheck shell=sh disable=SC2034,SC2154
# Reads the runtime's manifest. Slim images have no JSON parser: this reads only strings and lists
# of strings at the top level.

# Sets manifest, runtime (its folder), id, depsFile, lockFiles and install. The last two have one
# item a line.
read_manifest() {
	manifest=${KUBELESS_RUNTIME_MANIFEST:-}
	if [ -z "$manifest" ]; then
		for file in /opt/kubeless/runtimes/*/runtime.json; do
			[ -f "$file" ] || fail 'This image contains no runtime: /opt/kubeless/runtimes/<id>/runtime.json is missing.'
			[ -z "$manifest" ] || fail '/opt/kubeless/runtimes contains several runtimes. Set KUBELESS_RUNTIME_MANIFEST to the runtime.json of one.'
			manifest=$file
		done
	fi
	[ -r "$manifest" ] || fail "The runtime manifest $manifest cannot be read. Set KUBELESS_RUNTIME_MANIFEST to a runtime.json."
	runtime=$(cd "$(dirname "$manifest")" && pwd -P)
	id=$(field id)
	depsFile=$(field depsFile)
	lockFiles=$(field lockFiles)
	install=$(field install)
	[ -n "$id" ] || fail "In $manifest, \"id\" is missing."
}

# Prints the string or the list of strings of field $1, one a line.
field() {
	tr '\n\t' '  ' <"$manifest" | sed "s/\"$1\" *:/\\
/" | sed -n '2{
		s/^ *"\([^"]*\)".*/\1/p
		t
		s/^ *\[ *"\([^]]*\)" *\].*/\1/
		t list
		d
		:list
		s/" *, *"/\
/g
		p
	}'
}

# Runs the command $1, which has one argument a line.
run_command() {
	commandLines=$1
	set --
	while IFS= read -r argument; do
		case $argument in
		*\\*) fail "In $manifest, \"install\" contains a backslash. Put the command into a script next to the manifest." ;;
		*'$(RUNTIME_DIR)'*) argument=${argument%%'$(RUNTIME_DIR)'*}$runtime${argument#*'$(RUNTIME_DIR)'} ;;
		esac
		set -- "$@" "$argument"
	done <<-END
		$commandLines
	END
	run "$@"
}
