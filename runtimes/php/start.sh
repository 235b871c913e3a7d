#!/bin/sh
# Starts the worker with the wire as descriptor 0, not 3. PHP can only close the descriptors that it
# opened itself and 0 to 2. The worker must close the descriptor it was started with, because that
# one is not close-on-exec (see Wire::take).
set -eu

if ! command -v php >/dev/null; then
	printf '%s\n' '{"type":"failed","code":"WORKER_NOT_STARTED","message":"php is not on PATH. Install PHP (on Debian: apt-get install php-cli)."}' >&3
	exit 1
fi

set -- php "${0%/*}/worker.php"
# If the loader is killed, the kernel then kills a worker that is inside a call. In an image the
# loader is process 1, and its end ends everything: images have no setpriv.
if setpriv --pdeathsig KILL true 2>/dev/null; then set -- setpriv --pdeathsig KILL "$@"; fi
exec "$@" <&3 3<&-
