# shellcheck shell=sh disable=SC2034,SC2154,SC2164 # phase.sh sets -e
# Keeps the result of a phase in a volume that pods share, so that a scale-up neither downloads nor
# compiles. An entry is one file,
# <id>-<phase>-<key>-<digest>.tar: the key is a hash of everything that determines the result, the
# digest is of the content. An entry is made by a rename and checked before use, so pods need no
# lock: two pods may at worst make the same entry.

cache=${KUBELESS_CACHE:-/kubeless-cache}
[ -d "$cache" ] && [ -r "$cache" ] || cache=''
cacheLimit=${KUBELESS_CACHE_LIMIT:-2048} # MiB
case $cacheLimit in '' | *[!0-9]*) fail "KUBELESS_CACHE_LIMIT is $cacheLimit: it must be a number of MiB." ;; esac

# Sets `key`; to an empty string if there is no cache, or the runtime has no cache-key.sh.
find_key() {
	key=''
	[ -n "$cache" ] && [ -f "$runtime/cache-key.sh" ] || return 0
	[ "$phase" = compile ] || grep -q '[^[:space:]]' "$deps" || return 0 # nothing is installed
	KUBELESS_INSTALL_VOLUME=$volume KUBELESS_DEPS_FILE=$deps sh "$runtime/cache-key.sh" >"$scratch/key" 2>/dev/null </dev/null || return 0
	{
		echo "1 $id ${KUBELESS_RUNTIME_VERSION:-} $phase ${KUBELESS_FUNC_NAME:-} $(uname -m) $(basename "$deps")"
		cat /etc/os-release 2>/dev/null
		cat "$scratch/key"
		(cd "$runtime" && find . -path ./examples -prune -o -type f -print | digests)
		if [ "$phase" = compile ] || grep -qx '@folder' "$scratch/key"; then
			find . -path ./.kubeless -prune -o ! -type d -print | digests
		else
			for name in "$(basename "$deps")" $lockFiles; do
				(cd "$(dirname "$deps")" && { [ ! -f "$name" ] || echo "./$name" | digests; })
			done
		fi
	} >"$scratch/key-parts"
	key=$(sha256sum <"$scratch/key-parts" | cut -c 1-32)
}

digests() {
	LC_ALL=C sort | tr '\n' '\000' | xargs -0 sha256sum
}

restore() {
	find_key
	[ -n "$key" ] || return 1
	for entry in "$cache/$id-$phase-$key"-*.tar; do
		[ -f "$entry" ] || continue
		digest=${entry##*-}
		if [ "$(sha256sum <"$entry" | cut -d ' ' -f 1)" != "${digest%.tar}" ]; then
			echo "The cache entry $entry is damaged and is not used." >&2
			rm -f "$entry" 2>/dev/null || :
			continue
		fi
		touch "$entry" 2>/dev/null || : # keeps it among the recently used ones
		if tar -xof "$entry" 2>"$scratch/output"; then
			list_made || cannot_write
			echo "Taken from the cache: $entry" >&2
			return 0
		fi
		cat "$scratch/output" >&2
		failed 1
	done
	return 1
}

# Adds the result to the cache. A failure in here does not fail the phase.
keep() {
	[ -n "$key" ] && [ -w "$cache" ] || return 0
	cp "$state/$phase.new" "$scratch/entries"
	find . -path ./.kubeless -prune -o -type f -newer "$state/$phase.before" -print | present_before >>"$scratch/entries" # files that the phase changed
	echo ./.kubeless/bom.cdx.json >>"$scratch/entries"
	# Makes room before it writes, so that the cache never exceeds its limit.
	limit=$((cacheLimit * 1024))
	set --
	while IFS= read -r entry; do set -- "$@" "$entry"; done <"$scratch/entries"
	size=$(du -sk "$@" | awk '{ sum += $1 } END { print sum }')
	[ "$size" -le "$limit" ] || return 0
	prune $((limit - size))
	fresh=$(mktemp "$cache/.fresh.XXXXXX" 2>/dev/null) || return 0
	if tar -cf "$fresh" "$@" 2>/dev/null && chmod 644 "$fresh"; then
		mv "$fresh" "$cache/$id-$phase-$key-$(sha256sum <"$fresh" | cut -d ' ' -f 1).tar" 2>/dev/null || rm -f "$fresh"
	else
		echo "The cache $cache is full or read-only: the result is not kept." >&2
		rm -f "$fresh"
	fi
}

# Removes the least recently used entries until the cache has $1 KiB or less, and files that
# interrupted pods have left.
prune() {
	find "$cache" -maxdepth 1 -name '.fresh.*' -mmin +60 -exec rm -f {} + 2>/dev/null || :
	(
		cd "$cache"
		left=$1
		ls -t | while IFS= read -r name; do
			case $name in *-*-*-*.tar) ;; *) continue ;; esac
			left=$((left - ($(wc -c <"$name" 2>/dev/null || echo 0) + 1023) / 1024))
			[ "$left" -ge 0 ] || rm -f "$name" 2>/dev/null || :
		done
	)
}
