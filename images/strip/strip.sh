#!/bin/sh
# strip.sh NAME…: removes from an image what a running function does not need: all programs except
# NAME… (patterns, such as python3*), package managers, setuid bits and files that any user may
# write. Keeps Debian's list of packages, which vulnerability scanners read, and the licences.
set -eu

rm -rf /etc/apt /usr/lib/apt /var/lib/apt /var/cache/* /var/log/* /var/lib/dpkg/info /var/lib/dpkg/alternatives /usr/lib/dpkg /usr/share/dpkg \
	/etc/dpkg /usr/share/perl* /usr/lib/*/perl* /etc/perl /usr/lib/*/libapt-* /usr/lib/*/e2fsprogs /usr/lib/systemd /lib/systemd /etc/systemd \
	/etc/init.d /etc/rc*.d /etc/cron* /etc/pam.d /etc/security /usr/lib/*/security /usr/share/bash-completion /usr/share/man /usr/share/info \
	/usr/share/locale /usr/share/debconf /usr/share/lintian /usr/share/bug /usr/share/gdb /usr/share/menu /usr/games /usr/local/games
rm -rf /root /tmp /var/tmp /run/*
install -d -m 755 /root
install -d -m 1777 /tmp /var/tmp
# Removes the files of the runtime that build, install or document.
for folder in /opt/kubeless/runtimes/*/; do
	(cd "$folder" && rm -rf examples Dockerfile README.md install.sh compile.sh build.sh bom* cache-key.sh hints)
done
# Writable by any user in group 0: OpenShift runs containers with a random user in that group.
install -d -o 1000 -g 0 -m 775 /kubeless
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
find / -xdev ! -type l -perm -2 ! -path /tmp ! -path /var/tmp -exec chmod o-w {} +

for name; do
	set -- "$@" -a ! -name "$name"
	shift
done
# Must be the last command: it also removes the programs that this script uses.
exec find /bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin -mindepth 1 ! -type d "$@" -delete
