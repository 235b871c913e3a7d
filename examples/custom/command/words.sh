#!/bin/sh
# Counts the words of the body: standard input to standard output, one process per call.
[ "$REQUEST_METHOD" = POST ] || {
	printf 'Status: 405\nAllow: POST\n\nPOST a text.\n'
	exit
}
printf 'Content-Type: text/plain; charset=utf-8\n\n'
tr -cs '[:alpha:]' '\n' | tr '[:upper:]' '[:lower:]' | sed '/^$/d' | sort | uniq -c | sort -k1,1nr -k2
