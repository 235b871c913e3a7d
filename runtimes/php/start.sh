#!/bin/sh
# Starts the worker with the wire as descriptor 0 instead of 3. PHP can close 0 to 2 and what it
# opened itself, and nothing else. The worker has to close the descriptor that it was started with,
# because that one is not close-on-exec (worker/Wire.php, take()).
set -eu

if ! command -v php >/dev/null; then
	printf '%s\n' '{"type":"failed","code":"HANDLER_FAILED_TO_LOAD","message":"php is not on PATH. Install PHP (on Debian: apt-get install php-cli)."}' >&3
	exit 1
fi

set -- php "${0%/*}/worker.php"
# If the loader is killed, the kernel then kills a worker that is inside a call. In an image the
# loader is process 1, and its end ends everything: images have no setpriv. BusyBox's setpriv, which
# is a link, lacks the option.
setpriv=/usr/bin/setpriv
if [ -x "$setpriv" ] && [ ! -L "$setpriv" ]; then set -- "$setpriv" --pdeathsig KILL "$@"; fi
exec "$@" <&3 3<&-
