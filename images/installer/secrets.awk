# Prints the words of a text that are secrets, one a line: values after a word such as "password" in
# JSON, XML, TOML, .npmrc and .netrc, words of 20 or more plain characters, lines of one word, and
# users and passwords of URLs. With only=urls, these alone. Run in the locale C.

only != "" { urls($0); next }
{ text = text $0 "\n" }
NF == 1 && $1 !~ /[=:<{]/ { add($1, 6) }

END {
	if (only != "") exit
	urls(text)
	rest = text
	while (match(tolower(rest), /(token|passw|secret|auth|credential|bearer|api_?key)[a-z0-9_-]*["']?/)) {
		rest = substr(rest, RSTART + RLENGTH)
		sub(/^[ \t\n]*(value)?[ \t\n]*/, "", rest)
		separator = ""
		if (match(rest, /^[=:>][ \t\n]*/)) {
			separator = substr(rest, 1, 1)
			rest = substr(rest, RLENGTH + 1)
		}
		if (rest ~ /^[{]/) values(substr(rest, 1, index(rest "}", "}")))
		else if (!quoted(rest)) {
			# In .netrc a password may contain any of these characters; elsewhere they end it.
			add(found = leading(rest, separator == ">" ? "[^<]+" : "[^ \t\n]+"), 3)
			add(plain(found), 3)
			add(leading(rest, "[^ \t\n,;{}\"'<>]+"), 3)
		}
	}
	count = split(text, long, /[^A-Za-z0-9_+=-]+/)
	for (i = 1; i <= count; i++) add(long[i], 20)
}

function add(word, least) {
	if (length(word) < least || word in added) return
	added[word]
	print word
}

function leading(rest, class) { return match(rest, "^" class) ? substr(rest, 1, RLENGTH) : "" }

# Adds the string in quotes at the start of a text, as it is and without its escapes. Returns false
# if there is none.
function quoted(rest,    quote, at, one, word) {
	quote = substr(rest, 1, 1)
	if (quote != "\"" && quote != "'") return 0
	word = ""
	for (at = 2; (one = substr(rest, at, 1)) != quote; at++) {
		if (one == "" || one == "\n") return 0
		word = word (one == "\\" ? substr(rest, ++at, 1) : one)
	}
	add(substr(rest, 2, at - 2), 3)
	add(word, 3)
	add(plain(word), 3)
	return 1
}

# Returns a text of XML without its escapes.
function plain(word) {
	gsub(/&lt;/, "<", word)
	gsub(/&gt;/, ">", word)
	gsub(/&quot;/, "\"", word)
	gsub(/&apos;/, "'", word)
	gsub(/&amp;/, "\\&", word)
	return word
}

# Adds all strings of a JSON object, such as {"github.com": "TOKEN"}.
function values(object) {
	while (match(object, /:[ \t\n]*/)) {
		object = substr(object, RSTART + RLENGTH)
		quoted(object)
	}
}

# Adds user and password of each URL. A password may contain / and @: it ends at the last @ of the
# word. "host:8080/@scope" is none.
function urls(rest,    user) {
	while (match(rest, /:\/\/[^ \t\n"'<>]*@/)) {
		user = substr(rest, RSTART + 3, RLENGTH - 4)
		rest = substr(rest, RSTART + 3)
		if (match(user, /:\/\//)) { # a list of URLs
			user = substr(user, 1, RSTART - 1)
			if (!sub(/@[^@]*$/, "", user)) continue
		}
		if (user ~ /^[^\/@:]*(:[0-9]*)?\//) continue
		add(user, 6)
		if (user !~ /:/) continue
		add(substr(user, 1, index(user, ":") - 1), 6)
		add(substr(user, index(user, ":") + 1), 3)
	}
}
