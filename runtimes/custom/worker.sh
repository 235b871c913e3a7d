#!/bin/sh
# A worker in plain sh, and the template for a runtime of your own. It speaks the wire
# (../PROTOCOL.md; numbers in comments are its rules) with sh, awk, dd and mktemp. Debian's dash and
# bash keep every rule. BusyBox breaks 2.4: its `read` loses half a line when a child process ends.
#
# A function is a shell function of the file that the loader names. It is called with two folders,
# an event and a context, whose keys are files. What it prints is its answer. A file without
# functions is a program, which is started once per call.
#
#   hello() { echo "hello $(cat "$1/data")"; }
#
# The parts: wire, sending, function, call, loop. Names that begin with wire_ are the worker's, all
# others the function's.

wire_home=$(dirname "$0")
wire_file=$KUBELESS_HANDLER_FILE
wire_ifs=$IFS
wire_line_break='
'

# wire_interpreter LINE: prints the name of the program that a first line "#!…" names, such as bash.
wire_interpreter() {
	set -f
	# shellcheck disable=SC2086 # the line's words
	set -- ${1#'#!'}
	if [ "${1##*/}" = env ]; then
		shift
		while case $1 in -* | *=*) true ;; *) false ;; esac do shift; done
	fi
	printf '%s' "${1##*/}"
}

# A file with a NUL is a compiled program. The file may be replaced at any time, so each look at it
# is one open: two would compare two versions.
wire_shell=
if [ ! -r "$wire_file" ] || [ "$(LC_ALL=C tr -dc '\000' <"$wire_file" | wc -c)" -eq 0 ]; then
	wire_shell='sh'
	{ read -r wire_first <"$wire_file"; } 2>/dev/null || :
	case $wire_first in '#!'*) wire_shell=$(wire_interpreter "$wire_first") ;; esac
fi
# The functions of a bash file need bash, so this worker runs in bash too.
if [ "$wire_shell" = bash ] && [ -z "${BASH_VERSION-}" ] && command -v bash >/dev/null; then exec bash "$0"; fi

# Standard output is a function's answer, so its log is descriptor 4: the worker's standard output.
exec 4>&1

# ---------------------------------------------------------------- the wire

# wire_start_of PID: sets wire_start to the start time of a process, or to nothing if it has ended.
# A zombie has ended: its parent may take long to notice.
wire_start_of() {
	wire_start=
	if [ -e /proc/self/stat ]; then
		{ read -r wire_stat <"/proc/$1/stat"; } 2>/dev/null || return
		# shellcheck disable=SC2086 # the fields after the name, which may hold spaces
		set -- ${wire_stat##*) }
		case $1 in Z | X) ;; *) wire_start=${20} ;; esac
	elif kill -0 "$1" 2>/dev/null; then
		wire_start=unknown
	fi
}

# wire_clean FOLDER: removes what killed workers have left in it. A name has the worker's PID
# namespace, PID and start time, so no folder of a running worker is removed.
wire_clean() {
	for wire_left in "$1/kubeless.$wire_namespace."*; do
		[ -d "$wire_left" ] || continue
		wire_owner=${wire_left#"$1/kubeless.$wire_namespace."}
		wire_start_of "${wire_owner%%.*}"
		wire_owner=${wire_owner#*.}
		if [ -z "$wire_start" ] || [ "$wire_start" != "${wire_owner%%.*}" ]; then rm -rf "$wire_left"; fi
	done
}

# A shell variable cannot hold bytes, so what a call brings is kept in files. /dev/shm is for a
# read-only root.
wire_namespace=$(readlink /proc/self/ns/pid 2>/dev/null | tr -dc 0-9)
wire_start_of $$
wire_known=yes # without its namespace and start time, no other worker could remove the folder
wire=
if [ -z "$wire_start" ] || { [ -z "$wire_namespace" ] && [ -e /proc/self/ns/pid ]; }; then wire_known=; fi
for wire_folder in "${TMPDIR:-/tmp}" /dev/shm "$KUBELESS_INSTALL_VOLUME"; do
	[ -n "$wire_known" ] || break
	wire=$(mktemp -d "$wire_folder/kubeless.$wire_namespace.$$.$wire_start.XXXXXX" 2>/dev/null) || continue
	wire_clean "$wire_folder"
	break
done

# wire_take BYTES FILE: reads bytes of the wire into a file. `read` takes a line byte by byte and dd
# takes exact blocks, so neither reads too far, as `head -c` of BusyBox does.
wire_take() {
	: >"$2"
	# At most 1 MiB of it in memory.
	[ "$1" -lt 1048576 ] || wire_dd $(($1 / 1048576)) 1048576 "$2"
	[ $(($1 % 1048576)) -eq 0 ] || wire_dd 1 $(($1 % 1048576)) "$2"
}

# wire_dd COUNT SIZE FILE: appends blocks of the wire to a file. The worker exits if the wire ends
# (1.3).
wire_dd() {
	{ wire_report=$(LC_ALL=C dd bs="$2" count="$1" iflag=fullblock <&3 2>&1 >&5); } 5>>"$3"
	case $wire_report in
	"$1+0 "*) ;;
	*) wire_leave 1 ;;
	esac
}

# wire_stopped_below PID: stops the descendants of a process and prints their PIDs. Each is stopped
# before its children are listed, so that no new one is missed. Without /proc none is found.
wire_stopped_below() {
	# shellcheck disable=SC2013 # PIDs are words of one line
	for wire_child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		kill -STOP "$wire_child" && printf '%s ' "$wire_child"
		(wire_stopped_below "$wire_child")
	done
}

# wire_leave CODE: ends the worker and the function that it runs.
wire_leave() {
	if [ -n "${wire_running-}" ]; then
		kill -STOP "$wire_running" 2>/dev/null
		# shellcheck disable=SC2046 # PIDs are words
		kill -KILL "$wire_running" "$wire_answering" $(wire_stopped_below "$wire_running") 2>/dev/null
	fi
	exit "$1"
}

# ---------------------------------------------------------------- sending

# wire_send LINE [FILE…]: sends a frame. Only one process writes at a time, so frames do not mix
# (2.4).
wire_send() {
	printf '%s\n' "$1" >&3
	shift
	[ $# -eq 0 ] || cat "$@" >&3
}

# Prints standard input as a JSON string, cut at 64 KiB (2.3).
wire_string() {
	dd bs=65536 count=1 iflag=fullblock 2>/dev/null | tr -d '\000' | LC_ALL=C awk -f "$wire_home/string.awk"
}

# wire_error ID CODE MESSAGE: ends a call with an error (4.6).
wire_error() {
	wire_stack="$3$wire_line_break    at $wire_name ($wire_file${wire_place-})"
	wire_send "{\"type\":\"error\",\"id\":$1,\"code\":\"$2\",\"message\":$(printf '%s' "$3" | wire_string),\"stack\":$(printf '%s' "$wire_stack" | wire_string)}"
}

# ---------------------------------------------------------------- the function

# wire_failed CODE MESSAGE: reports that the function cannot be loaded, and exits (3.2).
wire_failed() {
	trap - EXIT
	wire_list=$(printf '%s' "$wire_names" | awk '{ printf "%s\"%s\"", (NR > 1 ? "," : ""), $0 }')
	wire_send "{\"type\":\"failed\",\"code\":\"$1\",\"message\":$(printf '%s' "$2" | wire_string),\"handlers\":[$wire_list]}"
	rm -rf "$wire"
	exit 1
}

wire_name=${FUNC_HANDLER-}
wire_names=
[ -n "$wire_known" ] || wire_failed HANDLER_FAILED_TO_LOAD "the worker cannot read /proc/self: free memory or file descriptors, and start again"
[ -n "$wire" ] || wire_failed HANDLER_FAILED_TO_LOAD "no folder is writable: mount one and set TMPDIR to it"
[ -r "$wire_file" ] || wire_failed HANDLER_FAILED_TO_LOAD "$wire_file does not exist or cannot be read"

# wire_find_functions [SED…]: sets wire_names to the functions of the file. They begin a line, and
# not with _. A file that cannot be read would look like one without functions, which is a program.
wire_find_functions() {
	wire_names=$(LC_ALL=C sed -n -e 's/^\([A-Za-z][A-Za-z0-9_]*\)[[:space:]]*([[:space:]]*).*/\1/p' "$@" "$wire_file") ||
		wire_failed HANDLER_FAILED_TO_LOAD "$wire_file does not exist or cannot be read"
}

case $wire_shell in
sh | dash | ash) wire_find_functions ;;
bash | ksh* | mksh | zsh)
	wire_find_functions -e 's/^function[[:space:]]\{1,\}\([A-Za-z][A-Za-z0-9_]*\).*/\1/p'
	if [ -n "$wire_names" ] && ! { [ "$wire_shell" = bash ] && [ -n "${BASH_VERSION-}" ]; }; then
		# A program in another shell may have functions for itself.
		if [ "$wire_shell" = bash ]; then
			wire_failed HANDLER_FAILED_TO_LOAD "$wire_file needs bash, which is not installed: install bash, or write the file for sh"
		elif printf '%s\n' "$wire_names" | grep -qxF -e "$wire_name"; then
			wire_failed HANDLER_FAILED_TO_LOAD "$wire_file begins with $wire_first, but functions are called in sh and bash only: write the file for one of them"
		fi
		wire_names=
	fi
	;;
esac

# The commands for functions.
# shellcheck source=functions.sh
. "$wire_home/functions.sh"

if [ -z "$wire_names" ]; then
	wire_name=${wire_name:-$MOD_NAME}
	wire_handler=wire_program
	wire_program=$wire_file
	# Files of a ConfigMap are not executable.
	[ -x "$wire_file" ] || { wire_program=$wire/program && cp "$wire_file" "$wire_program" && chmod +x "$wire_program"; }
	# shellcheck disable=SC2317 # called as "$wire_handler"
	wire_program() { "$wire_program" "$1" "$2" <"$1/data"; }
else
	wire_text=$("${BASH:-sh}" -n "$wire_file" 2>&1) || wire_failed HANDLER_FAILED_TO_LOAD "$wire_text"
	case $wire_name,$wire_names in
	,*"$wire_line_break"*) wire_failed HANDLER_NOT_FOUND "the file has several functions: name one with FUNC_HANDLER, or --handler" ;;
	,*) wire_name=$wire_names ;;
	esac
	printf '%s\n' "$wire_names" | grep -qxF -e "$wire_name" ||
		wire_failed HANDLER_NOT_FOUND "no line of the file begins with $wire_name(). A program's own functions must begin with _"
	wire_handler=$wire_name
	# sh does not report where a function failed, so errors name the function's first line.
	wire_place=:$(grep -nE "^(function[[:space:]]+)?${wire_name}([[:space:](]|\$)" "$wire_file" | head -n 1 | cut -d : -f 1)
	# Loaded once; each call runs in a copy of the shell. The file's options and IFS are restored for
	# calls.
	trap 'wire_failed HANDLER_FAILED_TO_LOAD "$wire_file ended the shell when it was loaded"' EXIT
	# shellcheck source=/dev/null
	. "$wire_file" </dev/null 3>&-
	for wire_option in e f u x; do
		case $- in *"$wire_option"*) wire_options="${wire_options-} -$wire_option" ;; esac
	done
	set +e +f +u +x
	# bash reads on after some syntax errors.
	[ "$(command -v "$wire_name")" = "$wire_name" ] ||
		wire_failed HANDLER_FAILED_TO_LOAD "$wire_file did not define $wire_name when it was loaded$wire_line_break$wire_text"
	# bash has no limit of its own: endless recursion would take all memory.
	FUNCNEST=${FUNCNEST:-2000}
fi
wire_their_ifs=$IFS
IFS=$wire_ifs
trap 'rm -rf "$wire"' EXIT

{ mkdir "$wire/context" && mkfifo "$wire/news" "$wire/stream"; } ||
	wire_failed HANDLER_FAILED_TO_LOAD "no files can be made in $wire: free space or memory, and start again"
printf '%s' "$wire_name" >"$wire/context/function-name"
printf '%s' "$FUNC_TIMEOUT" >"$wire/context/timeout"
printf '%s' "$FUNC_RUNTIME" >"$wire/context/runtime"
printf '%s' "$FUNC_MEMORY_LIMIT" >"$wire/context/memory-limit"

# ---------------------------------------------------------------- a call

# Two processes, so that the loop can go on reading the wire: one runs the function and waits for
# its end, the other one waits for its report and answers. The function does not have the wire
# (1.2).
wire_begin() {
	wire_answer "$1" & # first: the function may kill this shell
	wire_answering=$!
	wire_run 3>&- </dev/null &
	wire_running=$!
}

wire_run() {
	trap : TERM # cancel sends it to the function
	[ -e "$wire/cancelled" ] || (
		IFS=$wire_their_ifs
		eval "set ${wire_options-+e}"
		"$wire_handler" "$wire/event" "$wire/context"
		printf '%s' $? >"$wire/status"
	) >"$wire/result"
	wire_code=$?
	# A function that called `stream` and ended at once leaves a reader that waits for this end.
	: <>"$wire/stream"
	printf 'over %s\n' "$wire_code" >"$wire/news"
}

wire_answer() {
	read -r wire_news wire_code <"$wire/news"
	if [ "$wire_news" = stream ]; then
		if wire_head "$1"; then
			wire_send "{\"type\":\"head\",\"id\":$1,$wire_head}" "$wire/head"
			wire_pieces "$1"
		else
			cat "$wire/stream" >/dev/null
		fi
		read -r _ wire_code <"$wire/news"
	fi
	# A function that kills its worker ($$) gets no answer, although this process still runs.
	wire_killed && exit
	# A call is answered once (4.2): a head that could not be sent was an error.
	[ -z "${wire_wrong-}" ] || return
	wire_fault "$1" && return
	if [ "$wire_news" = stream ]; then
		wire_send "{\"type\":\"end\",\"id\":$1}"
	elif wire_head "$1"; then
		wire_length=$(wc -c <"$wire/result")
		wire_send "{\"type\":\"result\",\"id\":$1,$wire_head,\"body\":$((wire_length))}" "$wire/head" "$wire/result"
	fi
}

# Returns whether the loop's process was killed. A SIGKILL that is still pending is bit 8 of ShdPnd.
wire_killed() {
	[ -e /proc/self/fd ] || return 1
	while read -r wire_field wire_value; do
		case $wire_field,$wire_value in ShdPnd:,*[13579bdf]??) return 0 ;; esac
	done <"/proc/$$/status"
	[ ! -e "/proc/$$/fd/3" ]
}

# wire_fault ID: sends the call's error. Fails if the call ended without one.
wire_fault() {
	wire_status=
	[ ! -e "$wire/status" ] || read -r wire_status <"$wire/status"
	if [ -e "$wire/cancelled" ]; then
		wire_error "$1" CANCELLED "cancelled"
	elif [ -e "$wire/error" ]; then
		wire_error "$1" FUNCTION_THREW "$(dd bs=65536 count=1 if="$wire/error" 2>/dev/null | tr -d '\000')"
	elif [ -z "$wire_status" ]; then
		wire_error "$1" FUNCTION_THREW "$wire_name ended with exit code $wire_code"
	elif [ "$wire_status" != 0 ]; then
		wire_error "$1" FUNCTION_THREW "$wire_name returned $wire_status"
	else
		return 1
	fi
}

# wire_head ID: makes the answer's head (2.5) from extensions/response, and its fields of the line.
wire_head() {
	wire_response=$wire/event/extensions/response
	if [ -e "$wire_response/status" ] || [ -e "$wire_response/headers" ]; then
		wire_head=$(LC_ALL=C awk -f "$wire_home/head.awk" -v head="$wire/head" -v status="$wire_response/status" "$wire_response/headers" 2>&1) || {
			wire_wrong=yes
			wire_error "$1" RESULT_INVALID "$wire_head"
			return 1
		}
	else
		printf 'Content-Type: text/plain; charset=utf-8\r\n' >"$wire/head"
		wire_head='"head":41'
	fi
}

# wire_pieces ID: sends what the function prints at once (5.3), except while the call is paused
# (5.1).
wire_pieces() {
	exec 5<"$wire/stream"
	while :; do
		while [ -e "$wire/paused" ]; do sleep 0.05; done
		dd bs=65536 count=1 of="$wire/piece" <&5 2>/dev/null
		wire_length=$(($(wc -c <"$wire/piece")))
		[ "$wire_length" -gt 0 ] || break
		wire_send "{\"type\":\"chunk\",\"id\":$1,\"body\":$wire_length}" "$wire/piece"
	done
}

# ---------------------------------------------------------------- the loop

wire_send "{\"type\":\"ready\",\"wire\":1,\"handler\":\"$wire_name\",\"envelopes\":true}"

wire_current=
while IFS= read -r wire_line <&3; do
	printf '%s\n' "$wire_line" >"$wire/line"
	# The worker exits if the line is broken (2.7).
	wire_frame=$(LC_ALL=C awk -f "$wire_home/json.awk" "$wire/line") || wire_leave 2
	read -r wire_type wire_id wire_head_bytes wire_data_bytes wire_envelope_bytes <<-FRAME
		$wire_frame
	FRAME
	case $wire_type in
	call)
		wait
		rm -rf "$wire/event" "$wire/cancelled" "$wire/paused" "$wire/status" "$wire/error"
		mkdir -p "$wire/event/extensions/request" "$wire/event/extensions/response"
		LC_ALL=C awk -f "$wire_home/json.awk" -v folder="$wire/event" "$wire/line"
		wire_take "$wire_head_bytes" "$wire/event/extensions/request/headers"
		wire_take "$wire_data_bytes" "$wire/event/data"
		[ "$wire_envelope_bytes" = 0 ] || wire_take "$wire_envelope_bytes" "$wire/event/extensions/request/body" # 4.11
		wire_current=$wire_id
		wire_begin "$wire_id"
		;;
	cancel | pause | resume)
		# Ignored if the call has been answered meanwhile (5.1, 6.1).
		[ "$wire_id" = "$wire_current" ] || continue
		case $wire_type in
		pause) : >"$wire/paused" ;;
		resume) rm -f "$wire/paused" ;;
		cancel)
			: >"$wire/cancelled"
			rm -f "$wire/paused"
			wire_pids=$(wire_stopped_below "$wire_running" 2>/dev/null)
			# shellcheck disable=SC2086 # PIDs are words
			kill $wire_pids 2>/dev/null && kill -CONT $wire_pids
			;;
		esac
		;;
	stop)
		wait
		exit 0
		;;
	*)
		# A frame of a newer loader (2.2).
		wire_take "$wire_head_bytes" /dev/null
		wire_take "$wire_data_bytes" /dev/null
		;;
	esac
done
# The wire has ended (1.3).
wire_leave 1
