#!/bin/sh
# Sends `ready` and nothing else, and never ends, so that this worker fails every vector.
printf '{"type":"ready","wire":1,"handler":"mute","concurrency":20,"ahead":1}\n' >&3
exec sleep 60
