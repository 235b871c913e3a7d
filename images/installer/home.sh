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
		# The whole value, and the password of USER:PASSWORD.
		{ cat "$1" && echo && sed -n 's/^[^:]*://p' "$1" && secret_words <"$1"; } >>"$scratch/secrets"
		;;
	esac
}

# Lists the words that must not appear in a log: of the phase's secrets, of the variables, and of
# the URLs in the function's files.
list_secrets() {
	{
		for file in "$HOME"/.[!.]* "$HOME"/*; do
			case $file in *.crt | *.pem) continue ;; esac
			[ ! -f "$file" ] || [ ! -r "$file" ] || secret_words <"$file"
		done
		[ ! -f "$volume/.npmrc" ] || secret_words <"$volume/.npmrc"
		env | sed -n 's/^BUNDLE_[A-Z0-9_]*=[^:/]*://p'
		env | grep -Ei '^[a-z0-9_]*(token|passw|secret|auth|credential|api_?key)[a-z0-9_]*=' | grep -v '^KUBELESS_SECRETS=' >"$scratch/variables" || :
		sed 's/^[^=]*=//' "$scratch/variables"
		secret_words <"$scratch/variables"
		env | secret_words urls
		grep -hos '://[^[:space:]"<>]*@' "$deps" "$volume"/* "$volume"/.[!.]* | secret_words urls
	} >>"$scratch/secrets"
}

# Prints the secrets in a text, one a line (secrets.awk); `urls`: only those in URLs.
secret_words() {
	LC_ALL=C awk -v only="${1:-}" -f "$here/secrets.awk"
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
