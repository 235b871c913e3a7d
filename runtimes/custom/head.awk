# Writes a head (PROTOCOL 2.5) of lines "Name: value" to the file `head` and prints the fields
# `status` and `head`. `status` is the file with the status.
function wrong(text) { print text; failed = 1; exit 1 }
BEGIN {
	printf "" >head
	if ((getline code <status) > 0) {
		if (code !~ /^[2-9][0-9][0-9]$/) wrong("extensions/response/status holds \"" code "\": give a number from 200 to 999")
		fields = "\"status\":" code ","
	}
	# If only a status was set, the file of headers does not exist.
	if ((getline probe <ARGV[ARGC - 1]) < 0) ARGC--
	else close(ARGV[ARGC - 1])
	if (ARGC < 2) exit
}
$0 == "" { next }
{
	if ($0 !~ /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/) wrong("extensions/response/headers has a line that is not a header: " $0)
	if ($0 ~ /[\r\001-\010\013-\037\177]/) wrong("a header holds a control character: " $0)
	add($0)
	if (tolower($0) ~ /^content-type:/) typed = 1
}
function add(line) {
	printf "%s\r\n", line >head
	bytes += length(line) + 2
}
END {
	if (failed) exit 1
	if (!typed) add("Content-Type: text/plain; charset=utf-8")
	if (bytes > 1048576) wrong("extensions/response/headers has " bytes " bytes: the limit is 1048576")
	close(head)
	printf "%s\"head\":%d", fields, bytes
}
