# shellcheck shell=sh disable=SC2034,SC2154
# Makes a HOME for the tools: the pod's user has none, and tools do not look for secrets where
# Kubeless mounts them.

secretsFolder=${KUBELESS_SECRETS:-/var/run/secrets/kubeless.io}

# Makes the scratch folder; in the volume if the container's root file system is read-only.
make_scratch() {
	scratch=$(mktemp -d 2>/dev/null) || {
		rm -rf "$state"/scratch.*
		TMPDIR=$state
		scratch=$(mktemp -d "$state/scratch.XXXXXX") || fail "Cannot write to $volume: the disk may be full."
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
	# Keeps the image's own settings, except read-only folders: tools that keep files in them would
	# fail.
	if [ -n "$from" ] && [ "$from" != / ] && [ -r "$from" ]; then
		for file in "$from"/.[!.]*; do
			if [ -f "$file" ] || [ -d "$file" ] && [ -w "$file" ]; then ln -s "$file" "$HOME/"; fi
		done
	fi
	for file in "$secretsFolder"/*/* "$secretsFolder"/*/.[!.]*; do
		[ ! -f "$file" ] || place_secret "$file"
	done
	list_secrets
	trust
}

# Turns the secret in file $1 into a variable if its key looks like one and the variable is not set,
# else into a file in HOME.
place_secret() {
	name=${1##*/}
	case $name in
	[!A-Z]* | *[!A-Z0-9_]*) ln -sf "$1" "$HOME/$name" ;;
	*)
		eval "isSet=\${$name+yes}"
		[ -n "$isSet" ] || export "$name=$(cat "$1")"
		secret_words <"$1" >>"$scratch/secrets"
		;;
	esac
}

# Lists the words that must not appear in a log.
list_secrets() {
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

# Prints the secrets in a text: each value after a word such as `password`, and each word of 20 or
# more plain characters.
secret_words() {
	awk '
		function add(word) { sub(/^["'"'"']/, "", word); if (length(word) >= 6) print word }
		NF == 1 && $1 !~ /[=:<{]/ { add($1) }
		{
			rest = $0
			while (match(tolower(rest), /(token|passw|secret|auth|credential)[a-z0-9_-]*["'"'"'> \t]*(value)?[=: \t"'"'"']*/)) {
				rest = substr(rest, RSTART + RLENGTH)
				if (match(rest, /^[^"'"'"'<>, \t{}]+/)) add(substr(rest, 1, RLENGTH))
			}
			count = split($0, words, /[^A-Za-z0-9_+=-]+/)
			for (i = 1; i <= count; i++) if (length(words[i]) >= 20) add(words[i])
		}
	'
}

# Adds the certificate authority in ca.crt to the system's ones. The install scripts pass
# SSL_CERT_FILE to their tools.
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
