# Prints the text as a JSON string. U+001C separates records: text rarely has it, so that the text
# is one record.
BEGIN { RS = "\034"; printf "\"" }
NR > 1 { printf "\\u001c" }
{
	gsub(/["\\]/, "\\\\&")
	gsub(/\n/, "\\n")
	gsub(/\r/, "\\r")
	gsub(/\t/, "\\t")
	for (code = 1; code < 32; code++)
		if (index($0, sprintf("%c", code))) gsub(sprintf("%c", code), sprintf("\\u%04x", code))
	if ($0 ~ /[\200-\377]/) {
		# A text that was cut may end inside a character.
		if (length($0) > 65000) sub(/[\300-\377][\200-\277]*$/, "")
		rest = $0
		gsub(/[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]|\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277]/, "", rest)
		if (rest ~ /[\200-\377]/) gsub(/[\200-\377]/, "?") # not UTF-8
	}
	printf "%s", $0
}
END { printf "\"" }
