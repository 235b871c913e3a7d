# shellcheck shell=sh disable=SC2034,SC2154
# Reports: a tool's whole output goes to stderr at once. On a failure, the termination log gets one
# sentence and the end of the tool's output (Kubernetes keeps 4096 bytes). Neither contains secrets.

# Ends the phase with a sentence and exit code 1.
fail() {
	printf '%s\n' "$1" >&2
	write_termination_log "$1" /dev/null
	exit 1
}

cannot_write() {
	fail "The phase cannot write its state to $volume: the disk is full. Give the volume (an emptyDir's sizeLimit, ephemeral-storage) or the node more room."
}

write_termination_log() {
	[ -f "$terminationLog" ] || [ -c "$terminationLog" ] || return 0
	[ -w "$terminationLog" ] || return 0
	room=$((4094 - $(printf '%s' "$1" | wc -c)))
	{
		printf '%s\n' "$1"
		if [ "$(wc -c <"$2")" -le "$room" ]; then cat "$2"; else tail -c "$room" "$2" | sed 1d; fi
	} >"$terminationLog" 2>/dev/null || :
}

# Runs a tool. Its output goes to stderr, and the last 400 lines to $scratch/output.
run() {
	rm -f "$scratch/status"
	{ "$@" </dev/null 2>&1 || echo $? >"$scratch/status"; } | hide >&2
	[ ! -f "$scratch/status" ] || return "$(cat "$scratch/status")"
}

# Without this option mawk buffers its input, so that the log would be empty until the tool ends.
case $(awk -W version 2>&1 </dev/null) in mawk*) unbuffered='-W interactive' ;; *) unbuffered='' ;; esac

# Copies stdin to stdout without secrets, and the last 400 lines to $scratch/output.
# shellcheck disable=SC2086
hide() {
	LC_ALL=C SECRETS=$scratch/secrets OUTPUT=$scratch/output awk $unbuffered -f "$here/hide.awk"
}

# Ends the phase with the exit code of the tool that failed, and with a hint from the files called
# `hints`: each line is a pattern of the tool's output, a tab, and a sentence. The runtime's file is
# read before the common one.
failed() {
	code=$1
	[ "$phase" = install ] && what="Cannot install $deps" || what="Cannot compile the function in $volume"
	why="it ended with exit code $code."
	touch "$scratch/output"
	if [ "$code" = 137 ]; then
		why='it was killed, most likely for its memory: give the init container (initContainers[0].resources of the function'"'"'s deployment) a higher limit.'
	else
		for table in "$runtime/hints" "$here/hints"; do
			[ -f "$table" ] || continue
			found=$(hint "$table")
			[ -z "$found" ] || { why=$found && break; }
		done
	fi
	printf '\n%s: %s\n' "$what" "$why" >&2
	write_termination_log "$what: $why" "$scratch/output"
	exit "$code"
}

# Prints the sentence of the first pattern in file $1 that matches the output.
hint() {
	tab=$(printf '\t')
	while IFS="$tab" read -r pattern sentence; do
		case $pattern in '' | '#'*) continue ;; esac
		if grep -Eiq -e "$pattern" "$scratch/output"; then
			printf '%s' "$sentence"
			break
		fi
	done <"$1"
}
