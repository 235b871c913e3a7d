#!/bin/sh
# Makes a folder with a program `python3` for each Python on PATH and of pyenv, and prints the
# folders, PyPy's with this origin. Python 2.7 and PyPy have this name there too, because the
# manifest uses it.
set -eu

IFS=:
for folder in $PATH "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
	for python in "$folder"/python2.7 "$folder"/python3.[0-9] "$folder"/python3.[0-9][0-9] "$folder"/pypy "$folder"/pypy3; do
		"$python" -c '' 2>/dev/null || continue
		place=$VERSIONS_DIR/$(basename "$python")
		mkdir -p "$place"
		# Not a link: pyenv's programs look at their own name.
		printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >"$place/python3.new"
		chmod +x "$place/python3.new"
		mv "$place/python3.new" "$place/python3"
		case $python in */pypy*) printf '%s\tPyPy\n' "$place" ;; *) echo "$place" ;; esac
	done
done
