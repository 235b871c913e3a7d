# shellcheck shell=sh disable=SC2034,SC2154
# What the manifest of this image's runtime says. A slim image has nothing that reads JSON; what is read here are plain texts and
# lists of plain texts at the manifest's top.

# Sets manifest, runtime (its folder), id, depsFile, lockFiles and install, the last two one word a line.
read_manifest() {
	manifest=${KUBELESS_RUNTIME_MANIFEST:-}
	if [ -z "$manifest" ]; then
		for file in /opt/kubeless/runtimes/*/runtime.json; do
			[ -f "$file" ] || fail 'There is no runtime in this image: /opt/kubeless/runtimes/<id>/runtime.json is missing.'
			[ -z "$manifest" ] || fail 'There are several runtimes in /opt/kubeless/runtimes: KUBELESS_RUNTIME_MANIFEST has to name the runtime.json of one.'
			manifest=$file
		done
	fi
	[ -r "$manifest" ] || fail "The runtime manifest $manifest cannot be read: KUBELESS_RUNTIME_MANIFEST has to name a runtime.json."
	runtime=$(cd "$(dirname "$manifest")" && pwd -P)
	id=$(fact id)
	depsFile=$(fact depsFile)
	lockFiles=$(fact lockFiles)
	install=$(fact install)
	[ -n "$id" ] || fail "In $manifest, \"id\" is missing."
}

fact() {
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

# Runs a command that the manifest has, a word a line.
run_words() {
	commandWords=$1
	set --
	while IFS= read -r word; do
		case $word in
		*\\*) fail "In $manifest, \"install\" has a \\: put the command into a file beside it." ;;
		*'$(RUNTIME_DIR)'*) word=${word%%'$(RUNTIME_DIR)'*}$runtime${word#*'$(RUNTIME_DIR)'} ;;
		esac
		set -- "$@" "$word"
	done <<-END
		$commandWords
	END
	run "$@"
}
