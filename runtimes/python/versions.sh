#!/bin/sh
# Prints folders with the Pythons on PATH that have a number in their name, each as python3.
set -eu

IFS=:
for folder in $PATH; do
	for python in "$folder"/python3.[0-9]*; do
		case $python in *[!0-9]) continue ;; esac
		"$python" -c '' 2>/dev/null || continue
		place=$VERSIONS_DIR/$(basename "$python")
		mkdir -p "$place"
		ln -sf "$python" "$place/python3"
		echo "$place"
	done
done
