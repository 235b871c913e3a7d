#!/bin/sh
# A CGI command with headers before its output. The path selects the behaviour.
text() { printf 'Content-Type: text/plain\n\n'; }
case $PATH_INFO in
/hello) text && printf 'hello' ;;
/echo) printf 'Content-Type: %s\n\n' "${CONTENT_TYPE:-application/octet-stream}" && cat ;;
/variables) text && env ;;
/status) printf 'Status: 418 teapot\nX-Name: Ada\nSet-Cookie: a=1\nSet-Cookie: b=2\n\nshort' ;;
/location) printf 'Location: /elsewhere\n\n' ;;
/crlf) printf 'Status: 201\r\nX-Name: Ada\r\n\r\nmade\r\n' ;;
/stderr) text && echo "a word" >&2 && printf 'said' ;;
/exit) text && exit 3 ;;
/half) text && printf 'half' && sleep 0.3 && exit 3 ;;
/signal) kill -KILL $$ ;;
/half-signal) text && printf 'half' && sleep 0.3 && kill -KILL $$ ;;
/short) printf 'Content-Length: 100\n\nshort' ;;
/long) printf 'Content-Length: 3\n\nlonger' ;;
/no-head) printf 'just words\nand more\n\nthe rest' ;;
/no-end) printf 'Content-Type: text/plain\n' ;;
/nothing) ;;
/bad-status) printf 'Status: 99\n\n' ;;
/long-head) head -c 70000 /dev/zero | tr '\0' x | sed 's/^/X-Long: /' && printf '\n\n' ;;
/bad-value) printf 'X-Bad: a\001b\n\nwords' ;;
/split) printf 'Content-' && sleep 0.1 && printf 'Type: text/plain\n' && sleep 0.1 && printf '\n' && sleep 0.1 && printf 'late' ;;
/ticks) text && echo one && sleep 0.3 && echo two && sleep 0.3 && echo three ;;
/sleep) sleep "${QUERY_STRING:-30}" && text && printf 'slept' ;;
/sleep-below) sh -c 'sleep 31 & sleep 31 & wait' ;;
/deaf) trap '' TERM INT HUP && sleep 32 && text ;;
/busy) while :; do :; done ;;
/unread) exec <&- && text && printf 'unread' ;;
/count) count=$(wc -c) && text && printf '%s' "$count" ;;
/many) text && head -c "$QUERY_STRING" /dev/zero ;;
/left-behind) text && { sleep 33 & } ;;
/heir) text && printf 'first' && { sleep 0.05 && printf ' second' & } ;;
/escaped) text && printf 'done' && { setsid sleep 3 & } ;;
/closes) text && printf 'closed' && exec >&- && sleep 0.3 && echo "and went on" >&2 ;;
/mark) text && echo "$QUERY_STRING" >>"$MARKS" && cat >/dev/null && echo "whole" >>"$MARKS" ;;
esac
