#!/bin/sh
# Says ready, and then nothing, and never ends: whatever a vector wants, this worker does not do it.
printf '{"type":"ready","wire":1,"handler":"mute","concurrency":20,"ahead":1,"envelopes":true}\n' >&3
exec sleep 60
