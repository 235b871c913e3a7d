#!/bin/sh
# package.sh FOLDER FILE HANDLER SCRATCH: makes a package of the function in FOLDER and a service
# that calls it, and builds SCRATCH/function: function.jar and the handler's name. FILE "" means all
# files, HANDLER "" the only handler.
set -eu

home=$(cd "${0%/*}" && pwd)
folder=$1 file=$2 handler=$3 scratch=$4
. "$home/ballerina.sh"
find_bal
package=$scratch/package
mkdir -p "$package/modules/kubeless"
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

# Prints a Ballerina.toml with the fields added that a package must have.
complete_toml() {
	awk '
		function fill() {
			if (!("org" in has)) print "org = \"functions\""
			if (!("name" in has)) print "name = \"served\""
			if (!("version" in has)) print "version = \"0.1.0\""
		}
		/^[ \t]*\[/ { if (inside) fill(); inside = /^[ \t]*\[package\]/; seen = seen || inside }
		inside && match($0, /^[ \t]*(org|name|version)[ \t]*=/) { key = $0; gsub(/[ \t]*=.*|[ \t]/, "", key); has[key] }
		{ print }
		END { if (!seen) print "[package]"; if (inside || !seen) fill() }
	' "$@"
}

package_name() {
	awk '
		/^[ \t]*\[/ { inside = /^[ \t]*\[package\]/ }
		inside && /^[ \t]*name[ \t]*=/ { sub(/^[^=]*=[ \t]*"/, ""); sub(/".*/, ""); print; exit }
	' "$package/Ballerina.toml"
}

toml=/dev/null
if is_package; then toml=Ballerina.toml; fi
complete_toml "$toml" >"$package/Ballerina.toml"
own=$(package_name)

# Kubeless's types become a module of the package, so that they need not be published. The import
# changes within its line, so that line numbers stay.
take() {
	case $1 in */*) mkdir -p "$package/${1%/*}" ;; esac
	case $1 in
	./Ballerina.toml) ;;
	./Dependencies.toml | ./resources/*) cp -L "$1" "$package/$1" ;;
	*)
		to=$package/$1
		case $1 in *.bal) ;; ./*/*) ;; *) to=$to.bal ;; esac # a function's file may have another suffix
		sed "s|^\([ 	]*import[ 	][ 	]*\)kubeless/kubeless\([ 	;]\)|\1$own.kubeless\2|" "$1" >"$to"
		;;
	esac
}
while IFS= read -r name; do take "$name"; done <"$scratch/names"
cp "$home"/kubeless/*.bal "$package/modules/kubeless/"
sed "s/PACKAGE/$own/; s/HANDLER/$handler/; s/^\( *\)ISOLATED /\1${isolated:+isolated }/" "$home/service.bal" | sed 1d >"$package/kubeless_service.bal"

# ---- the jar

set --
[ ! -f "$package/Dependencies.toml" ] || set -- --sticky
cd "$package"
if ! "$bal" build "$@" >"$scratch/messages" 2>&1; then
	# ERROR [hello.bal:(3:12,3:13)] message
	sed -e 's/^\(ERROR\|WARNING\) \[\([^]:]*\):(\([0-9]*\):\([0-9]*\),[^)]*)\] /\2:\3:\4: \1: /' -e '/^Compiling source$/d' -e '/^	[^ ]*\/[^ ]*:[0-9.]*$/d' \
		-e '/^error: compilation contains errors$/d' -e '/^[[:space:]]*$/d' "$scratch/messages"
	exit 1
fi
mkdir "$scratch/function"
for jar in target/bin/*.jar; do mv "$jar" "$scratch/function/function.jar"; done
# The resolved dependencies, for the bill of materials.
[ ! -f Dependencies.toml ] || cp Dependencies.toml "$scratch/function/"
echo "$handler" >"$scratch/function/handler"
