#!/bin/sh
# A worker in plain sh: the template for a runtime of your own. It speaks the wire (../PROTOCOL.md, whose rules are cited by
# number) with what every system has: sh, awk, dd, mktemp. Debian's dash keeps every rule; BusyBox does but for 2.4: its `read` forgets
# the half of a line that it has when a child ends. Loaders send a line whole.
#
# A function is a shell function of the file that the loader names. It is called with two folders, an event and a context, whose
# keys are files; what it prints is its answer. A file without functions is a program, started once a call.
#
#   hello() { echo "hello $(cat "$1/data")"; }
#
# The parts stand in the order that any worker has: the wire, sending, the function, a call, the loop. Names that begin with
# wire are the worker's, all others the function's.

wire_home=$(dirname "$0")
wire_ifs=$IFS
wire_line_break='
'
# A function's standard output is its answer, so what goes to its log is descriptor 4: the worker's own standard output.
exec 4>&1

# ---------------------------------------------------------------- the wire

# A shell's variable cannot hold bytes, so what a call brings lies in files. /dev/shm is for a root that is read-only.
for wire_folder in "${TMPDIR:-/tmp}" /dev/shm "$KUBELESS_INSTALL_VOLUME"; do
	wire=$(mktemp -d "$wire_folder/kubeless.XXXXXX" 2>/dev/null) && break
done

# wire_take BYTES FILE: so many bytes of the wire. `read` takes a line byte by byte and dd what it is told, so neither takes
# what is the other's; `head -c` of BusyBox would.
wire_take() {
	: >"$2"
	# At most 1 MiB of it in memory.
	[ "$1" -lt 1048576 ] || wire_dd $(($1 / 1048576)) 1048576 "$2"
	[ $(($1 % 1048576)) -eq 0 ] || wire_dd 1 $(($1 % 1048576)) "$2"
}

# wire_dd COUNT SIZE FILE: so many blocks, added to the file. Fewer mean that the wire has ended (1.3).
wire_dd() {
	{ wire_report=$(LC_ALL=C dd bs="$2" count="$1" iflag=fullblock <&3 2>&1 >&5); } 5>>"$3"
	case $wire_report in
	"$1+0 "*) ;;
	*) wire_leave 1 ;;
	esac
}

# The processes below one, stopped: each before its children are looked at, so that none is missed. Where there is no /proc, a
# function runs on until it ends.
wire_stopped_below() {
	for wire_child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		kill -STOP "$wire_child" && printf '%s ' "$wire_child"
		(wire_stopped_below "$wire_child")
	done
}

# Ends the worker, and what it runs, with this exit code.
wire_leave() {
	if [ -n "${wire_running-}" ]; then
		kill -STOP "$wire_running" 2>/dev/null
		# shellcheck disable=SC2046 # a word a process
		kill -KILL "$wire_running" "$wire_answering" $(wire_stopped_below "$wire_running") 2>/dev/null
	fi
	exit "$1"
}

# ---------------------------------------------------------------- sending

# wire_send LINE [FILE…]: a frame. Only one process writes at any time, so that it is whole before the next one begins (2.4).
wire_send() {
	printf '%s\n' "$1" >&3
	shift
	[ $# -eq 0 ] || cat "$@" >&3
}

# The text on standard input as a JSON string, cut where a line would become too long (2.3).
wire_string() {
	dd bs=65536 count=1 iflag=fullblock 2>/dev/null | tr -d '\000' | LC_ALL=C awk -f "$wire_home/string.awk"
}

# wire_error ID CODE MESSAGE (4.6)
wire_error() {
	wire_stack="$3$wire_line_break    at $wire_name ($wire_file${wire_place-})"
	wire_send "{\"type\":\"error\",\"id\":$1,\"code\":\"$2\",\"message\":$(printf '%s' "$3" | wire_string),\"stack\":$(printf '%s' "$wire_stack" | wire_string)}"
}

# ---------------------------------------------------------------- the function

# wire_failed CODE MESSAGE: why there is nothing to call (3.2).
wire_failed() {
	trap - EXIT
	wire_list=$(printf '%s' "$wire_names" | awk '{ printf "%s\"%s\"", (NR > 1 ? "," : ""), $0 }')
	wire_send "{\"type\":\"failed\",\"code\":\"$1\",\"message\":$(printf '%s' "$2" | wire_string),\"handlers\":[$wire_list]}"
	wire_leave 1
}

wire_file=$KUBELESS_HANDLER_FILE
wire_name=${FUNC_HANDLER-}
wire_names=
[ -n "$wire" ] || wire_failed HANDLER_FAILED_TO_LOAD "there is no folder to write to: mount one and set TMPDIR to it"
[ -r "$wire_file" ] || wire_failed HANDLER_FAILED_TO_LOAD "$wire_file is not there or cannot be read"

# A text whose first line names no interpreter but sh may have functions: at the beginning of a line, not beginning with _.
if LC_ALL=C tr -d '\000' <"$wire_file" | cmp -s - "$wire_file"; then
	read -r wire_first <"$wire_file"
	case $wire_first in
	'#!'*/sh | '#!'*/sh\ * | '#!'*\ sh | [!#]* | '' | '#'[!!]* | '#')
		wire_names=$(LC_ALL=C sed -n 's/^\([A-Za-z][A-Za-z0-9_]*\)[[:space:]]*([[:space:]]*).*/\1/p' "$wire_file")
		;;
	esac
fi

# What a function may call.
. "$wire_home/functions.sh"

if [ -z "$wire_names" ]; then
	wire_name=${wire_name:-$MOD_NAME}
	wire_handler=wire_program
	wire_program=$wire_file
	# A ConfigMap's files are not executable.
	[ -x "$wire_file" ] || { wire_program=$wire/program && cp "$wire_file" "$wire_program" && chmod +x "$wire_program"; }
	wire_program() { "$wire_program" "$1" "$2" <"$1/data"; }
else
	wire_text=$(sh -n "$wire_file" 2>&1) || wire_failed HANDLER_FAILED_TO_LOAD "$wire_text"
	case $wire_name,$wire_names in
	,*"$wire_line_break"*) wire_failed HANDLER_NOT_FOUND "the file has more than one function: name one with FUNC_HANDLER, or --handler" ;;
	,*) wire_name=$wire_names ;;
	esac
	printf '%s\n' "$wire_names" | grep -qxF -e "$wire_name" ||
		wire_failed HANDLER_NOT_FOUND "there is no function $wire_name that begins a line"
	wire_handler=$wire_name
	# No shell tells where a function failed: its first line must do.
	wire_place=:$(grep -n "^${wire_name}[[:space:]]*(" "$wire_file" | head -n 1 | cut -d : -f 1)
	# Loaded once; each call runs in a copy of the shell as it is then. Its options and its IFS are kept for the calls.
	trap 'wire_failed HANDLER_FAILED_TO_LOAD "$wire_file ended the shell when it was loaded"' EXIT
	# shellcheck source=/dev/null
	. "$wire_file" </dev/null 3>&-
	for wire_option in e f u x; do
		case $- in *"$wire_option"*) wire_options="${wire_options-} -$wire_option" ;; esac
	done
	set +e +f +u +x
fi
wire_their_ifs=$IFS
IFS=$wire_ifs
trap 'rm -rf "$wire"' EXIT

mkdir "$wire/context"
mkfifo "$wire/news" "$wire/stream"
printf '%s' "$wire_name" >"$wire/context/function-name"
printf '%s' "$FUNC_TIMEOUT" >"$wire/context/timeout"
printf '%s' "$FUNC_RUNTIME" >"$wire/context/runtime"
printf '%s' "$FUNC_MEMORY_LIMIT" >"$wire/context/memory-limit"

# ---------------------------------------------------------------- a call

# Two processes, so that the loop can go on reading the wire: one runs the function and waits for its end, whatever that is;
# the other one waits for news of it, and answers. The function and what it starts do not have the wire (1.2).
wire_begin() {
	wire_answer "$1" & # first, for a function that kills this shell
	wire_answering=$!
	wire_run 3>&- </dev/null &
	wire_running=$!
}

wire_run() {
	trap : TERM # meant for the function
	[ -e "$wire/cancelled" ] || (
		IFS=$wire_their_ifs
		eval "set ${wire_options-+e}"
		"$wire_handler" "$wire/event" "$wire/context"
		printf '%s' $? >"$wire/status"
	) >"$wire/result"
	wire_code=$?
	# Where the function said that it streams and ended before it did, somebody waits for the other end of this.
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
	# A function that kills its worker ($$) has no answer, though who would give it is alive.
	wire_killed && exit
	# A call is answered once (4.2): a head that could not be sent was an error already.
	[ -z "${wire_wrong-}" ] || return
	wire_fault "$1" && return
	if [ "$wire_news" = stream ]; then
		wire_send "{\"type\":\"end\",\"id\":$1}"
	elif wire_head "$1"; then
		wire_length=$(wc -c <"$wire/result")
		wire_send "{\"type\":\"result\",\"id\":$1,$wire_head,\"body\":$((wire_length))}" "$wire/head" "$wire/result"
	fi
}

# Whether the loop's process has been killed. It may not have come to that yet: the signal is there at once, in the third digit.
wire_killed() {
	[ -e /proc/self/fd ] || return 1
	while read -r wire_field wire_value; do
		case $wire_field,$wire_value in ShdPnd:,*[13579bdf]??) return 0 ;; esac
	done <"/proc/$$/status"
	[ ! -e "/proc/$$/fd/3" ]
}

# The call's error, if it ended with one.
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

# Makes the answer's head (2.5) of what the function left in extensions/response, and the fields of the line that go with it.
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

# What the function prints, as it does (5.3), but not while the caller cannot take it (5.1).
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

wire_send "{\"type\":\"ready\",\"wire\":1,\"handler\":\"$wire_name\"}"

wire_current=
while IFS= read -r wire_line <&3; do
	printf '%s\n' "$wire_line" >"$wire/line"
	# A line that is broken (2.7) has no reading: the worker ends.
	wire_frame=$(LC_ALL=C awk -f "$wire_home/json.awk" -v frame=yes "$wire/line") || wire_leave 2
	read -r wire_type wire_id wire_head_bytes wire_body_bytes wire_json <<-FRAME
		$wire_frame
	FRAME
	case $wire_type in
	call)
		wait
		rm -rf "$wire/event" "$wire/cancelled" "$wire/paused" "$wire/status" "$wire/error"
		mkdir -p "$wire/event/extensions/request" "$wire/event/extensions/response"
		LC_ALL=C awk -f "$wire_home/json.awk" -v folder="$wire/event" "$wire/line"
		wire_take "$wire_head_bytes" "$wire/event/extensions/request/headers"
		wire_take "$wire_body_bytes" "$wire/event/data"
		wire_current=$wire_id
		if [ "$wire_json" = json ] && [ -s "$wire/event/data" ]; then
			# The line break ends what may be a number; NUL, which some awks take for the end, is as wrong in JSON as \001.
			wire_text=$({ tr '\000' '\001' <"$wire/event/data" && echo; } | LC_ALL=C awk -f "$wire_home/json.awk") || {
				wire_error "$wire_id" BODY_MALFORMED "the body is not JSON: $wire_text"
				continue
			}
		fi
		wire_begin "$wire_id"
		;;
	cancel | pause | resume)
		# It may cross the answer: then it is about nothing (5.1, 6.1).
		[ "$wire_id" = "$wire_current" ] || continue
		case $wire_type in
		pause) : >"$wire/paused" ;;
		resume) rm -f "$wire/paused" ;;
		cancel)
			: >"$wire/cancelled"
			rm -f "$wire/paused"
			wire_pids=$(wire_stopped_below "$wire_running" 2>/dev/null)
			kill $wire_pids 2>/dev/null && kill -CONT $wire_pids
			;;
		esac
		;;
	stop)
		wait
		exit 0
		;;
	*)
		# Something newer than this worker (2.2).
		wire_take "$wire_head_bytes" /dev/null
		wire_take "$wire_body_bytes" /dev/null
		;;
	esac
done
# The wire has ended, and so does the worker, with what it runs (1.3).
wire_leave 1
