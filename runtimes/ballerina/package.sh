#!/bin/sh
# package.sh FOLDER FILE HANDLER SCRATCH: makes a package of the function in FOLDER and a service
# that calls it, and builds SCRATCH/function: function.jar or function.balx, and the handler's name.
# FILE "" means all files, HANDLER "" the only handler.
set -eu

home=$(cd "${0%/*}" && pwd)
folder=$1 file=$2 handler=$3 scratch=$4
. "$home/ballerina.sh"
find_bal
package=$scratch/package
mkdir -p "$package" "$scratch/function"
cd "$folder"
sources "$file" >"$scratch/names"
if ! grep -q '^\./[^/]*\.bal$' "$scratch/names"; then
	[ -n "$file" ] || { echo "There is no Ballerina file in $folder."; exit 1; }
fi

# ---- the handler

# Prints the functions of a file that take an event and a context, and whether they are isolated.
handlers() {
	awk '
		{ sub(/^[ \t]*#.*/, ""); sub(/^[ \t]*\/\/.*/, ""); text = text " " $0 }
		END {
			while (match(text, /public +((isolated|transactional) +)*function +[A-Za-z_][A-Za-z_0-9]*[ \t]*\([^()]*\)/)) {
				found = substr(text, RSTART, RLENGTH)
				text = substr(text, RSTART + RLENGTH)
				if (found !~ /:Event[ \t].*:Context[ \t]/) continue
				isolated = found ~ /^public +isolated / ? "isolated" : ""
				sub(/^[^(]*function +/, "", found)
				sub(/[ \t]*\(.*/, "", found)
				print found, isolated
			}
		}
	' "$@"
}

while IFS= read -r name; do
	case $name in ./*/*) ;; *.bal) handlers "$name" ;; *) [ "$name" != "./${file##*/}" ] || handlers "$name" ;; esac
done <"$scratch/names" >"$scratch/handlers"
all=$(cut -d ' ' -f 1 "$scratch/handlers" | tr '\n' ' ' | sed 's/ $//; s/ /, /g')
what=${file##*/}
what=${what:-The function}
if [ -z "$handler" ]; then
	case $all in
	'') echo "$what has no handler: a public function with the parameters (kubeless:Event event, kubeless:Context context)."; exit 1 ;;
	*,*) echo "$what has more than one handler, $all: set FUNC_HANDLER to one of them."; exit 1 ;;
	esac
	handler=$all
fi
found=$(grep "^$handler " "$scratch/handlers" | head -n 1)
if [ -z "$found" ]; then
	echo "$what has no handler $handler, a public function with the parameters (kubeless:Event event, kubeless:Context context)${all:+; it has $all}."
	exit 1
fi
isolated=${found#"$handler"}
isolated=${isolated# }

# ---- the package

# Copies source $1 to $2. Kubeless's types are the module $3 of the package, so that they need not
# be published. The import changes within its line, so that line numbers stay.
take() {
	mkdir -p "${2%/*}"
	sed "s|^\([ 	]*import[ 	][ 	]*\)kubeless/kubeless\([ 	;]\)|\1$3\2|" "$1" >"$2"
}

# Builds the program, or prints what the compiler reports, as file:line:column: message.
if is_older; then . "$home/older/balx.sh"; else . "$home/jar.sh"; fi
echo "$handler" >"$scratch/function/handler"
