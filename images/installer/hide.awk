# Copies standard input to standard output, with *** in place of the words in the file $SECRETS and
# of the user and password in URLs. Writes the last 400 lines to the file $OUTPUT. Run in the locale
# C, where a character is a byte.
#
# A word is found as it is, URL-encoded, escaped for JSON or XML, and as a part of base64.

BEGIN {
	BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	# BusyBox may have been built without the operator ^.
	power[0] = 1
	for (i = 1; i < 8; i++) power[i] = power[i - 1] * 2
	for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
	name["&"] = "amp"; name["<"] = "lt"; name[">"] = "gt"; name["\""] = "quot"; name["'"] = "apos"
	while ((getline word < ENVIRON["SECRETS"]) > 0) learn(word)
	sort_by_length()
	for (i = 1; i <= count; i++) {
		pattern[i] = pattern_of(words[i])
		anchor[i] = anchor_of(words[i])
		for (offset = 0; offset < 3; offset++) {
			core = encoded_part(words[i], offset)
			if (length(core) < 4) continue
			base64_pattern[++cores] = "[A-Za-z0-9+/_=-]*" pattern_of_base64(core) "[A-Za-z0-9+/_=-]*"
			base64_anchor[cores] = anchor_of(core)
		}
	}
}

{
	gsub(/\033\[[0-9;]*m/, "")
	hide_users()
	for (i = 1; i <= count; i++) if (anchor[i] == "" || index($0, anchor[i])) hide(pattern[i], length(words[i]) < 6)
	for (i = 1; i <= cores; i++) if (base64_anchor[i] == "" || index($0, base64_anchor[i])) hide(base64_pattern[i], 0)
	print
	fflush()
	last[NR % 400] = $0
}

END { for (i = NR > 400 ? NR - 399 : 1; i <= NR; i++) print last[i % 400] > ENVIRON["OUTPUT"] }

# In a URL, all up to the last @ of the host's part. A password may contain / and @, but
# "host:8080/@scope" is no password.
function hide_users() {
	gsub(/:\/\/[^\/@:"'<> \t]*:[0-9]*[^0-9\/"'<> \t][^"'<> \t]*@/, "://***@")
	gsub(/:\/\/[^\/"'<> \t]*@/, "://***@")
}

# Replaces all that match a pattern; if `alone`, not inside of longer words.
function hide(regex, alone,    done, inside) {
	done = ""
	while (match($0, regex)) {
		done = done substr($0, 1, RSTART - 1)
		inside = alone && (done ~ /[A-Za-z0-9]$/ || substr($0, RSTART + RLENGTH, 1) ~ /[A-Za-z0-9]/)
		done = done (inside ? substr($0, RSTART, 1) : "***")
		$0 = substr($0, RSTART + (inside ? 1 : RLENGTH))
	}
	$0 = done $0
}

# ---------------------------------------------------------------- the words

# Adds a word, and what it says if it is base64 or URL-encoded.
function learn(word,    plain) {
	if (length(word) < 3 || word in known || tolower(word) ~ /^(true|false|null|none|yes|no|basic|bearer)$/) return
	known[word]
	words[++count] = word
	if (word ~ /%[0-9A-Fa-f][0-9A-Fa-f]/) learn(url_decoded(word))
	if (word ~ /^[A-Za-z0-9+\/_-]+=?=?$/ && length(word) % 4 == 0) {
		plain = base64_decoded(word)
		if (plain ~ /^[ -~]+$/) {
			learn(plain)
			if (plain ~ /:/) learn(substr(plain, index(plain, ":") + 1))
		}
	}
}

# Longest first: a secret may be a part of another one.
function sort_by_length(    i, at, word) {
	for (i = 2; i <= count; i++) {
		word = words[i]
		for (at = i; at > 1 && length(words[at - 1]) < length(word); at--) words[at] = words[at - 1]
		words[at] = word
	}
}

# Returns the longest part that no encoding changes. A line without it has no match.
function anchor_of(word,    best) {
	best = ""
	while (match(word, /[A-Za-z0-9]+/)) {
		if (RLENGTH > length(best)) best = substr(word, RSTART, RLENGTH)
		word = substr(word, RSTART + RLENGTH)
	}
	return best
}

# ---------------------------------------------------------------- encodings

function pattern_of(word,    i, one, text) {
	text = ""
	for (i = 1; i <= length(word); i++) {
		one = substr(word, i, 1)
		if (one ~ /[A-Za-z0-9]/) text = text one
		else if (code[one] >= 194 && code[one] < 224 && i < length(word)) {
			text = text "(" one substr(word, i + 1, 1) "|" percent(one) percent(substr(word, i + 1, 1)) "|" json((code[one] - 192) * 64 + code[substr(word, i + 1, 1)] - 128) ")"
			i++
		} else text = text "([\\\\]*" literal(one) "|" percent(one) "|" json(code[one]) (one in name ? "|&" name[one] ";|&#0*" code[one] ";" : "") (one == " " ? "|[+]" : "") ")"
	}
	return text
}

# In base64url, + and / are - and _.
function pattern_of_base64(core,    i, one, text) {
	text = ""
	for (i = 1; i <= length(core); i++) {
		one = substr(core, i, 1)
		text = text (one == "+" ? "([+-]|%2[Bb])" : one == "/" ? "([\\\\]*/|_|%2[Ff])" : one)
	}
	return text
}

function literal(one) {
	if (one == "\\") return "[\\\\]"
	return one == "^" ? "\\^" : "[" one "]"
}

function percent(one) { return "%" hex(code[one], 2) }

function json(point) { return "[\\\\]+u" hex(point, 4) }

# Returns a pattern of hexadecimal digits of both cases.
function hex(number, digits,    text, digit) {
	text = ""
	for (; digits > 0; digits--) {
		digit = substr("0123456789abcdef", number % 16 + 1, 1)
		text = (digit ~ /[a-f]/ ? "[" digit toupper(digit) "]" : digit) text
		number = int(number / 16)
	}
	return text
}

# Returns the characters of base64 that follow from the word alone if `offset` bytes are before it.
function encoded_part(word, offset,    bits, held, bytes, i, text, skip) {
	text = ""
	bits = held = 0
	bytes = offset + length(word)
	for (i = 1; i <= bytes; i++) {
		held = held * 256 + (i > offset ? code[substr(word, i - offset, 1)] : 0)
		for (bits += 8; bits >= 6; bits -= 6) {
			text = text substr(BASE64, int(held / power[bits - 6]) + 1, 1)
			held %= power[bits - 6]
		}
	}
	skip = offset == 0 ? 0 : offset + 1
	return substr(text, skip + 1)
}

function base64_decoded(text,    i, bits, held, plain) {
	gsub(/-/, "+", text)
	gsub(/_/, "/", text)
	sub(/=+$/, "", text)
	plain = ""
	bits = held = 0
	for (i = 1; i <= length(text); i++) {
		held = held * 64 + index(BASE64, substr(text, i, 1)) - 1
		bits += 6
		if (bits < 8) continue
		bits -= 8
		plain = plain sprintf("%c", int(held / power[bits]))
		held %= power[bits]
	}
	return plain
}

function url_decoded(text,    plain, digits) {
	plain = ""
	digits = "0123456789abcdef"
	while (match(text, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
		plain = plain substr(text, 1, RSTART - 1) sprintf("%c", (index(digits, tolower(substr(text, RSTART + 1, 1))) - 1) * 16 + index(digits, tolower(substr(text, RSTART + 2, 1))) - 1)
		text = substr(text, RSTART + 3)
	}
	return plain text
}
