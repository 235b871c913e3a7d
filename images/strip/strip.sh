#!/bin/sh
# strip.sh NAME…: takes out of an image what a running function does not need: all programs but those of the names (patterns, as in python3*),
# package managers, and rights that nobody needs. Debian's list of packages stays, for those who look for known faults, and so do licences.
set -eu

rm -rf /etc/apt /usr/lib/apt /var/lib/apt /var/cache/* /var/log/* /var/lib/dpkg/info /var/lib/dpkg/alternatives /usr/lib/dpkg /usr/share/dpkg \
	/etc/dpkg /usr/share/perl* /usr/lib/*/perl* /etc/perl /usr/lib/*/libapt-* /usr/lib/*/e2fsprogs /usr/lib/systemd /lib/systemd /etc/systemd \
	/etc/init.d /etc/rc*.d /etc/cron* /etc/pam.d /etc/security /usr/lib/*/security /usr/share/bash-completion /usr/share/man /usr/share/info \
	/usr/share/locale /usr/share/debconf /usr/share/lintian /usr/share/bug /usr/share/gdb /usr/share/menu /usr/games /usr/local/games
rm -rf /root /tmp /var/tmp /run/*
install -d -m 755 /root
install -d -m 1777 /tmp /var/tmp
# Of the language's own folder what builds and installs, and what is there to be read.
for folder in /opt/kubeless/runtimes/*/; do
	(cd "$folder" && rm -rf examples Dockerfile README.md install.sh compile.sh build.sh bom* cache-key.sh cures)
done
# Any user may write here, if it is in group 0, as OpenShift's are.
install -d -o 1000 -g 0 -m 775 /kubeless
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
find / -xdev ! -type l -perm -2 ! -path /tmp ! -path /var/tmp -exec chmod o-w {} +

for name; do
	set -- "$@" -a ! -name "$name"
	shift
done
# The last command, as it takes itself away too.
exec find /bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin -mindepth 1 ! -type d "$@" -delete
