#!/bin/sh
# collect.sh FOLDER COMMAND...: makes FOLDER a root file system with these commands, the libraries
# that they load, certificates, and Debian's records of their packages, which vulnerability scanners
# read.
set -eu
folder=$1
shift

# Debian keeps /bin and /lib as links into /usr.
mkdir -p "$folder/usr/bin" "$folder/usr/lib" "$folder/usr/lib64" "$folder/etc/ssl/certs" "$folder/var/lib/dpkg/status.d"
for name in bin lib lib64; do ln -s "usr/$name" "$folder/$name"; done
mkdir -m 1777 "$folder/tmp"

files=$(for command in "$@"; do
	file=/usr/bin/$command
	if [ -e "$file" ]; then echo "$file"; else echo "$command is not in /usr/bin of the base" >&2 && exit 1; fi
done)
libraries=$(for file in $files; do ldd "$file" || true; done | sed -nE 's/^[^/]*(\/[^ ]+) .*/\1/p' | sort -u)
for file in $files $libraries; do
	real=$(realpath "$file")
	install -D -m "$(stat -c %a "$real")" "$real" "$folder/$(realpath "$(dirname "$file")")/$(basename "$file")"
done
cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
printf 'root:x:0:0:root:/:/bin/sh\nkubeless:x:1000:1000:kubeless:/tmp:/bin/sh\n' > "$folder/etc/passwd"
printf 'root:x:0:\nkubeless:x:1000:\n' > "$folder/etc/group"
cp /etc/os-release "$folder/etc/"

for file in $files $libraries; do
	dpkg -S "$(realpath "$file")" "/bin/$(basename "$(realpath "$file")")" "$(realpath "$file" | sed 's|^/usr||')" 2>/dev/null || true
done | cut -d: -f1 | sort -u > /packages
echo ca-certificates >> /packages
while read -r package; do
	dpkg-query -s "$package" > "$folder/var/lib/dpkg/status.d/$package"
	install -D -m 644 "/usr/share/doc/$package/copyright" "$folder/usr/share/doc/$package/copyright"
done < /packages
