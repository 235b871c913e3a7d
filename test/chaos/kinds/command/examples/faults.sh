# shellcheck shell=sh
# The function of test/chaos (its README describes it), as a command with the body on standard
# input.
set -e

version=one
body=$(mktemp "$FAULTS_NOTES/.body.XXXXXX")
trap 'rm -f "$body"' EXIT
if [ "${HTTP_CONTENT_ENCODING-}" = gzip ]; then gzip -dc; else cat; fi >"$body"
read -r id action number <"$body"
line="$id $version"
echo "$line" >>"$FAULTS_NOTES/$$"

lines() { awk -v line="$line" -v n="$number" 'BEGIN { while (n-- > 0) print line }'; }

case $action in
echo) cat "$body" ;;
sleep) sleep "$(awk -v ms="$number" 'BEGIN { print ms / 1000 }')" && echo "$line" ;;
raise) exit 3 ;;
die) kill -KILL "$$" ;;
hoard) dd if=/dev/zero of=/dev/null bs=1048576G count=1 ;;
print) dd if=/dev/zero bs=1 count="$number" 2>/dev/null | tr '\000' '\377' >&2 && echo "$line" ;;
spawn) sleep 30 >/dev/null 2>&1 & echo "$line" ;;
answer | stream) lines ;;
*) echo "$line" ;;
esac
