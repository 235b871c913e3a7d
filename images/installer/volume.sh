# shellcheck shell=sh disable=SC2034,SC2154
# The function's volume. A phase works in place, since what it makes may name its own path. So that nothing half made is ever
# taken for whole, .kubeless/<phase>.before lists what was there when the phase began, as long as it runs: whoever finds it
# removes everything else. .kubeless/<phase>.made lists what a finished phase has made.

state=$volume/.kubeless

enter_volume() {
	[ -d "$volume" ] || fail "There is no folder $volume: KUBELESS_INSTALL_VOLUME has to name the function's volume."
	volume=$(cd "$volume" && pwd -P)
	state=$volume/.kubeless
	if ! { mkdir -p "$state" && : >"$state/try" && rm "$state/try"; } 2>/dev/null; then
		fail "The volume $volume cannot be written by user $(id -u): mount it writable, with fsGroup in the pod's securityContext; a disk that is full also does this."
	fi
	cd "$volume"
}

# All there is, the phases' own notes aside.
inventory() {
	find . -path ./.kubeless -prune -o ! -name . -print
}

# Of the lines on stdin those that the phase has found when it began, or those that it has not.
found() {
	BEFORE=$state/$phase.before awk 'BEGIN { while ((getline line < ENVIRON["BEFORE"]) > 0) known[line] } $0 in known'
}

not_found() {
	BEFORE=$state/$phase.before awk 'BEGIN { while ((getline line < ENVIRON["BEFORE"]) > 0) known[line] } !($0 in known)'
}

# Removes what a command lists. Nothing is written: the disk may be full.
remove() {
	if ! "$@" | each rm -rf --; then
		# Some tools make folders that cannot be written.
		"$@" | each chmod -R u+rwX || :
		"$@" | each rm -rf --
	fi
}

each() {
	tr '\n' '\000' | xargs -0 "$@" 2>/dev/null
}

not_there_before() {
	inventory 2>/dev/null | not_found
}

# Removes what an earlier run has left: an interrupted one, or a finished one if the pod starts anew.
clean_volume() {
	if [ -f "$state/$phase.before" ]; then
		remove not_there_before
	elif [ -f "$state/$phase.made" ]; then
		remove cat "$state/$phase.made"
	fi
	rm -f "$state/$phase".* "$state/bom.cdx.json"
	# What was compiled was compiled with what is now installed anew.
	[ "$phase" != install ] || rm -f "$state"/compile.*
}

note_what_is_there() {
	inventory >"$state/$phase.new" && mv "$state/$phase.new" "$state/$phase.before"
}

# The highest folders and files that are new, and files that changed, one a line, to $state/<phase>.new.
note_what_was_made() {
	inventory | not_found | LC_ALL=C sort | awk '
		{ fresh[$0]; parent = $0; sub(/\/[^\/]*$/, "", parent); if (!(parent in fresh)) print }
	' >"$state/$phase.new"
}

finish() {
	mv "$state/$phase.new" "$state/$phase.made"
	rm -f "$state/$phase.before"
}

# After a failure, and when told to end: the volume is as it was.
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
