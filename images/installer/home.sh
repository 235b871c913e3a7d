# shellcheck shell=sh disable=SC2034,SC2154
# The HOME of the tools. A pod's user has none, and Kubeless's secrets for a phase lie where no tool looks for them.

secretsFolder=${KUBELESS_SECRETS:-/var/run/secrets/kubeless.io}

# Where the container's root cannot be written, the volume has room.
make_scratch() {
	scratch=$(mktemp -d 2>/dev/null) || {
		rm -rf "$state"/scratch.*
		TMPDIR=$state
		scratch=$(mktemp -d "$state/scratch.XXXXXX") || fail "Nothing can be written to $volume: the disk may be full."
	}
	TMPDIR=$scratch/tmp
	mkdir "$TMPDIR"
	export TMPDIR
	(umask 077 && : >"$scratch/secrets")
}

make_home() {
	from=${HOME:-}
	HOME=$scratch/home
	export HOME
	mkdir -m 700 "$HOME"
	# An image's own settings stay; a folder that cannot be written would only be in the way of a tool that keeps things in it.
	if [ -n "$from" ] && [ "$from" != / ] && [ -r "$from" ]; then
		for file in "$from"/.[!.]*; do
			if [ -f "$file" ] || [ -d "$file" ] && [ -w "$file" ]; then ln -s "$file" "$HOME/"; fi
		done
	fi
	for file in "$secretsFolder"/*/* "$secretsFolder"/*/.[!.]*; do
		[ ! -f "$file" ] || give_secret "$file"
	done
	note_secrets
	trust
}

# A secret whose key is named like a variable becomes one, if there is none of that name; another one becomes a file.
give_secret() {
	name=${1##*/}
	case $name in
	[!A-Z]* | *[!A-Z0-9_]*) ln -sf "$1" "$HOME/$name" ;;
	*)
		eval "given=\${$name+given}"
		[ -n "$given" ] || export "$name=$(cat "$1")"
		secret_words <"$1" >>"$scratch/secrets"
		;;
	esac
}

# Lists what nobody is to read in a log.
note_secrets() {
	{
		for file in "$HOME"/.[!.]* "$HOME"/*; do
			case $file in *.crt | *.pem) continue ;; esac
			[ ! -f "$file" ] || [ ! -r "$file" ] || secret_words <"$file"
		done
		[ ! -f "$volume/.npmrc" ] || secret_words <"$volume/.npmrc"
		env | grep -Ei '^[a-z0-9_]*(token|passw|secret|auth|credential|api_?key)[a-z0-9_]*=' | sed 's/^[^=]*=//' | awk 'length($0) >= 6'
		env | sed -n 's|^[^=]*=.*://\([^/@ ]*\)@.*|\1|p' | tr ':' '\n' | awk 'length($0) >= 6'
	} >>"$scratch/secrets"
}

# Of a text that has secrets in it: what follows a word such as password, and what is too long and too plain for a name.
secret_words() {
	awk '
		function tell(word) { sub(/^["'"'"']/, "", word); if (length(word) >= 6) print word }
		NF == 1 && $1 !~ /[=:<{]/ { tell($1) }
		{
			rest = $0
			while (match(tolower(rest), /(token|passw|secret|auth|credential)[a-z0-9_-]*["'"'"'> \t]*(value)?[=: \t"'"'"']*/)) {
				rest = substr(rest, RSTART + RLENGTH)
				if (match(rest, /^[^"'"'"'<>, \t{}]+/)) tell(substr(rest, 1, RLENGTH))
			}
			count = split($0, words, /[^A-Za-z0-9_+=-]+/)
			for (i = 1; i <= count; i++) if (length(words[i]) >= 20) tell(words[i])
		}
	'
}

# A certificate authority of one's own, beside the system's; the install scripts tell their tools of SSL_CERT_FILE.
trust() {
	[ -f "$HOME/ca.crt" ] || return 0
	for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt; do
		if [ -f "$bundle" ]; then break; fi
		bundle=/dev/null
	done
	cat "$bundle" "$HOME/ca.crt" >"$HOME/ca-bundle.crt"
	SSL_CERT_FILE=$HOME/ca-bundle.crt
	export SSL_CERT_FILE
}
