# shellcheck shell=sh disable=SC2034,SC2154
# What is said, and where: all of a tool's output on stderr as it comes, and of a failure one sentence and the tool's last words in
# the termination log, of which Kubernetes keeps 4096 bytes. No secret is in either.

# Ends with a sentence.
fail() {
	printf '%s\n' "$1" >&2
	last_words "$1" /dev/null
	exit 1
}

cannot_write() {
	fail "What was done cannot be noted in $volume: the disk is full. Give the volume (an emptyDir's sizeLimit, ephemeral-storage) or the node more room."
}

last_words() {
	[ -f "$terminationLog" ] || [ -c "$terminationLog" ] || return 0
	[ -w "$terminationLog" ] || return 0
	room=$((4094 - $(printf '%s' "$1" | wc -c)))
	{
		printf '%s\n' "$1"
		if [ "$(wc -c <"$2")" -le "$room" ]; then cat "$2"; else tail -c "$room" "$2" | sed 1d; fi
	} >"$terminationLog" 2>/dev/null || :
}

# Runs a tool; what it says goes to stderr, and its end to $scratch/said.
run() {
	rm -f "$scratch/status"
	{ "$@" </dev/null 2>&1 || echo $? >"$scratch/status"; } | hide >&2
	[ ! -f "$scratch/status" ] || return "$(cat "$scratch/status")"
}

# mawk reads ahead otherwise, and nothing would be seen before the end.
case $(awk -W version 2>&1 </dev/null) in mawk*) atOnce='-W interactive' ;; *) atOnce='' ;; esac

# Passes lines on without the words of $scratch/secrets and without what stands before the @ of an address.
# shellcheck disable=SC2086
hide() {
	SECRETS=$scratch/secrets SAID=$scratch/said awk $atOnce '
		BEGIN { while ((getline word < ENVIRON["SECRETS"]) > 0) if (!(word in known)) { known[word]; words[++count] = word } }
		{
			gsub(/\033\[[0-9;]*m/, "")
			gsub(/:\/\/[^\/@ ]*@/, "://***@")
			for (i = 1; i <= count; i++) while (at = index($0, words[i])) $0 = substr($0, 1, at - 1) "***" substr($0, at + length(words[i]))
			print
			fflush()
			said[NR % 400] = $0
		}
		END { for (i = NR > 400 ? NR - 399 : 1; i <= NR; i++) print said[i % 400] > ENVIRON["SAID"] }
	'
}

# Ends with the exit code of the tool that failed. What to do about it stands in the tables called cures: a pattern of what the
# tool says, a tab, a sentence.
failed() {
	code=$1
	[ "$phase" = install ] && what="Cannot install $deps" || what="Cannot compile the function in $volume"
	why="it ended with exit code $code."
	touch "$scratch/said"
	if [ "$code" = 137 ]; then
		why='it was killed, most likely for its memory: give the init container (initContainers[0].resources of the function'"'"'s deployment) a higher limit.'
	else
		for table in "$runtime/cures" "$here/cures"; do
			[ -f "$table" ] || continue
			found=$(cure "$table")
			[ -z "$found" ] || { why=$found && break; }
		done
	fi
	printf '\n%s: %s\n' "$what" "$why" >&2
	last_words "$what: $why" "$scratch/said"
	exit "$code"
}

cure() {
	tab=$(printf '\t')
	while IFS="$tab" read -r pattern sentence; do
		case $pattern in '' | '#'*) continue ;; esac
		if grep -Eiq -e "$pattern" "$scratch/said"; then
			printf '%s' "$sentence"
			break
		fi
	done <"$1"
}
