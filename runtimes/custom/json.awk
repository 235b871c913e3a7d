# Parses a line of the wire, which is a JSON object. Exits with 1 and the reason if it is broken.
# Without a variable: prints the line's type, id, and the lengths of the head, of the event's data
# and of the envelope behind it (0: the body is the data).
#   folder=FOLDER  writes the event of a call's line into this folder, one file per key
# Records are the text between two quotes.

BEGIN { RS = "\""; wants = "value"; deepest = 1000 }

# A quote after an odd number of backslashes belongs to the string.
inside {
	escaped = match($0, /\\+$/) && RLENGTH % 2
	text = text $0 (escaped ? "\"" : "")
	if (escaped) next
	inside = 0
	string(text)
	text = ""
	next
}

{
	n = split($0, characters, "")
	for (i = 1; i <= n; i++) character(characters[i])
	word_ends()
	inside = 1
}

END {
	if (failed) exit 1
	# The last record follows the last quote; it has at least the line break.
	if (!inside || NR == 0) wrong("it ends within a string")
	if (wants != "end") wrong("it ends too early")
	if (failed) exit 1
	if (folder) write()
	else print_fields()
}

function wrong(reason) { if (!failed) print reason; failed = 1; exit 1 }

function character(c) {
	if (index(" \t\r\n", c)) word_ends()
	else if (c == "{" || c == "[") {
		word_ends()
		if (!index(wants, "value")) wrong("\"" c "\" where " wants " should be")
		if (depth == deepest) wrong("it is deeper than " deepest)
		open[++depth] = c
		if (depth == 1) object = c == "{"
		wants = c == "{" ? "key or }" : "value or ]"
	} else if (c == "}" || c == "]") {
		word_ends()
		if (!depth || open[depth] != (c == "}" ? "{" : "[") || !index(wants, c)) wrong("\"" c "\" where " wants " should be")
		depth--
		value_ends()
	} else if (c == ":") {
		word_ends()
		if (wants != "colon") wrong("a colon where " wants " should be")
		wants = "value"
	} else if (c == ",") {
		word_ends()
		if (wants !~ /^comma/) wrong("a comma where " wants " should be")
		wants = open[depth] == "{" ? "key" : "value"
	} else word = word c
}

function word_ends() {
	if (word == "") return
	if (!index(wants, "value")) wrong(word " where " wants " should be")
	if (word !~ /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) wrong(substr(word, 1, 40) " is not JSON")
	keep(word, 0)
	word = ""
	value_ends()
}

function value_ends() { wants = depth == 0 ? "end" : open[depth] == "{" ? "comma or }" : "comma or ]" }

function string(raw) {
	if (index(wants, "key")) {
		key[depth] = raw
		wants = "colon"
	} else {
		if (!index(wants, "value")) wrong("a string where " wants " should be")
		keep(raw, 1)
		value_ends()
	}
}

# Keeps a field of the line, or of its extensions.
function keep(value, is_string) {
	if (depth == 1) {
		field[key[1]] = value
		quoted[key[1]] = is_string
	} else if (depth == 2 && key[1] == "extensions" && is_string) extension[key[2]] = value
}

function count(name, max) {
	if (!(name in field)) return 0
	if (quoted[name] || field[name] !~ /^(0|[1-9][0-9]*)$/ || length(field[name]) > 16 || field[name] + 0 > max) wrong(name " is not a count")
	return field[name]
}

function given(name) { return name in field ? field[name] : 0 }

function print_fields(    type, data) {
	if (!object || !quoted["type"]) wrong("it is not a frame")
	type = field["type"]
	if (type !~ /^(call|cancel|pause|resume|stop)$/) type = "other"
	count("id", 9007199254740991)
	count("head", 1048576)
	count("body", 1073741824)
	if (type == "call" && count("envelope", 1073741824)) {
		count("data", 1073741824)
		data = "data"
	} else data = "body"
	# Unchanged: not every awk can hold 2^53 - 1.
	print type, "id" in field ? field["id"] : "-", given("head"), given(data), data == "data" ? field["envelope"] : 0
}

function write(    name) {
	for (name in field) {
		if (name ~ /^event-(id|type|time|namespace)$/) put(name, field[name])
		if (name ~ /^(method|path|query|address|deadline)$/) put("extensions/request/" name, field[name])
	}
	for (name in extension)
		if (name ~ /^[a-zA-Z0-9_-]+$/ && name != "request" && name != "response") put("extensions/" name, extension[name])
}

function put(name, raw) {
	printf "%s", decoded(raw) >(folder "/" name)
	close(folder "/" name)
}

# Returns a string without escapes. A piece follows a backslash; an escaped backslash makes an empty
# piece.
function decoded(raw,    pieces, n, i, out, code) {
	if (!index(raw, "\\")) return raw
	n = split(raw, pieces, /[\\]/)
	out = pieces[1]
	for (i = 2; i <= n; i++) {
		if (pieces[i] == "") out = out "\\" pieces[++i]
		else if (pieces[i] ~ /^u/) {
			code = hex(substr(pieces[i], 2, 4))
			if (code >= 55296 && code < 56320 && pieces[i + 1] ~ /^u[dD][c-fC-F]/) {
				code = 65536 + (code - 55296) * 1024 + hex(substr(pieces[++i], 2, 4)) - 56320
			}
			out = out utf8(code) substr(pieces[i], 6)
		} else out = out plain(substr(pieces[i], 1, 1)) substr(pieces[i], 2)
	}
	return out
}

function plain(c) { return c == "n" ? "\n" : c == "t" ? "\t" : c == "r" ? "\r" : c == "b" ? "\b" : c == "f" ? "\f" : c }

function hex(digits,    i, n) {
	for (i = 1; i <= 4; i++) n = n * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
	return n
}

function utf8(n) {
	if (n == 0) return "" # variables and file names cannot hold it
	if (n < 128) return sprintf("%c", n)
	if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
	if (n < 65536) return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
	return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, 128 + int(n / 64) % 64, 128 + n % 64)
}
