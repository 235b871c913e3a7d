#!/bin/sh
# Makes a folder with a link `python3` for each python3.N on PATH, and prints the folders.
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
