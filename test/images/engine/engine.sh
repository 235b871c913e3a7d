#!/bin/sh
# engine.sh start|stop: a Docker engine for the tests, with its own socket and folder, independent
# of the machine's engine. `start` prints its DOCKER_HOST. Needs root.
set -eu

home=${KUBELESS_ENGINE:-/var/tmp/kubeless-engine}
DOCKER_HOST=unix://$home/docker.sock
export DOCKER_HOST
answers() { docker version >/dev/null 2>&1; }

# Waits up to $1 tenths of a second for the command that follows.
wait_for() {
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 0.1
	done
}

case ${1:-} in
start)
	mkdir -p "$home"
	if ! answers; then
		rm -f "$home/pid"
		setsid nohup dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/pid" --host "$DOCKER_HOST" \
			--storage-driver overlay2 --log-level warn >"$home/log" 2>&1 </dev/null &
		wait_for 300 answers || {
			tail -n 30 "$home/log" >&2
			exit 1
		}
	fi
	echo "$DOCKER_HOST"
	;;
stop)
	[ -f "$home/pid" ] || exit 0
	pid=$(cat "$home/pid")
	running=$(docker ps --all --quiet 2>/dev/null || :)
	# shellcheck disable=SC2086
	[ -z "$running" ] || docker rm --force $running >/dev/null
	gone() { ! kill -0 "$pid" 2>/dev/null; }
	kill "$pid" 2>/dev/null || :
	wait_for 150 gone || kill -KILL "$pid"
	umount "$home/exec/netns/default" 2>/dev/null || : # dockerd leaves it, and its folder cannot be removed before it is gone
	;;
*)
	echo "engine.sh start|stop" >&2
	exit 2
	;;
esac
