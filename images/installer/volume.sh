# shellcheck shell=sh disable=SC2034,SC2154,SC2164 # phase.sh sets -e
# The function's volume. A phase works in place, because installed files may contain their own path.
# While a phase runs, .kubeless/<phase>.before lists the files from before the phase. If a phase
# finds such a list when it starts, an earlier run was interrupted: the phase removes all other
# files. .kubeless/<phase>.made lists the files that a finished phase has made.

state=$volume/.kubeless

enter_volume() {
	[ -d "$volume" ] || fail "The folder $volume does not exist. Set KUBELESS_INSTALL_VOLUME to the function's volume."
	volume=$(cd "$volume" && pwd -P)
	state=$volume/.kubeless
	if ! { mkdir -p "$state" && : >"$state/try" && rm "$state/try"; } 2>/dev/null; then
		fail "The volume $volume cannot be written by user $(id -u): mount it writable, with fsGroup in the pod's securityContext. A full disk is another possible cause."
	fi
	cd "$volume"
}

# Prints all files and folders, without .kubeless.
inventory() {
	find . -path ./.kubeless -prune -o ! -name . -print
}

# Copies the lines of stdin that are in <phase>.before.
present_before() {
	BEFORE=$state/$phase.before awk 'BEGIN { while ((getline line < ENVIRON["BEFORE"]) > 0) known[line] } $0 in known'
}

# Copies the lines of stdin that are not in <phase>.before.
absent_before() {
	BEFORE=$state/$phase.before awk 'BEGIN { while ((getline line < ENVIRON["BEFORE"]) > 0) known[line] } !($0 in known)'
}

# Removes the files that a command prints. Writes no file: the disk may be full.
remove() {
	if ! "$@" | each rm -rf --; then
		# Some tools make read-only folders.
		"$@" | each chmod -R u+rwX || :
		"$@" | each rm -rf --
	fi
}

each() {
	tr '\n' '\000' | xargs -0 "$@" 2>/dev/null
}

list_new() {
	inventory 2>/dev/null | absent_before
}

# Removes the files of an earlier run: of an interrupted run, or of a finished run if the pod is
# restarted.
clean_volume() {
	if [ -f "$state/$phase.before" ]; then
		remove list_new
	elif [ -f "$state/$phase.made" ]; then
		remove cat "$state/$phase.made"
	fi
	rm -f "$state/$phase".* "$state/bom.cdx.json"
	# The compiled files depend on the packages that are about to be installed again.
	[ "$phase" != install ] || rm -f "$state"/compile.*
}

list_before() {
	inventory >"$state/$phase.new" && mv "$state/$phase.new" "$state/$phase.before"
}

# Writes the new files and folders to $state/<phase>.new, one a line, without the content of new
# folders.
list_made() {
	inventory | absent_before | LC_ALL=C sort | awk '
		{ fresh[$0]; parent = $0; sub(/\/[^\/]*$/, "", parent); if (!(parent in fresh)) print }
	' >"$state/$phase.new"
}

finish() {
	mv "$state/$phase.new" "$state/$phase.made"
	rm -f "$state/$phase.before"
}

# Runs at exit. After a failure or a signal, restores the volume to its state before the phase.
leave() {
	status=$?
	trap - EXIT
	trap '' TERM INT HUP
	[ ! -f "$state/$phase.before" ] || clean_volume
	rmdir "$state" 2>/dev/null || :
	cd /
	rm -rf "$scratch" 2>/dev/null || {
		chmod -R u+rwX "$scratch"
		rm -rf "$scratch"
	}
	exit "$status"
}
