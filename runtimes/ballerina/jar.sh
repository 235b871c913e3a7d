# shellcheck shell=sh disable=SC2154
# Sourced by package.sh for Swan Lake: a package with the function, Kubeless's types as its module
# kubeless, and the service. Builds function.jar.

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

while IFS= read -r name; do
	case $name in
	./Ballerina.toml) ;;
	./Dependencies.toml) cp -L "$name" "$package/" ;;
	./resources/*)
		mkdir -p "$package/${name%/*}"
		cp -L "$name" "$package/$name"
		;;
	./*/* | *.bal) take "$name" "$package/$name" "$own.kubeless" ;;
	*) take "$name" "$package/$name.bal" "$own.kubeless" ;; # a function's file may have another suffix
	esac
done <"$scratch/names"
mkdir -p "$package/modules/kubeless"
cp "$home"/kubeless/*.bal "$package/modules/kubeless/"
sed "s/PACKAGE/$own/; s/HANDLER/$handler/; s/^\( *\)ISOLATED /\1${isolated:+isolated }/" "$home/service.bal" | sed 1d >"$package/kubeless_service.bal"

set --
[ ! -f "$package/Dependencies.toml" ] || set -- --sticky
cd "$package" || exit
if ! "$bal" build "$@" >"$scratch/messages" 2>&1; then
	# ERROR [hello.bal:(3:12,3:13)] message
	sed -e 's/^\(ERROR\|WARNING\) \[\([^]:]*\):(\([0-9]*\):\([0-9]*\),[^)]*)\] /\2:\3:\4: \1: /' -e '/^Compiling source$/d' -e '/^	[^ ]*\/[^ ]*:[0-9.]*$/d' \
		-e '/^error: compilation contains errors$/d' -e '/^[[:space:]]*$/d' "$scratch/messages"
	exit 1
fi
for jar in target/bin/*.jar; do mv "$jar" "$scratch/function/function.jar"; done
# The resolved dependencies, for the bill of materials.
[ ! -f Dependencies.toml ] || cp Dependencies.toml "$scratch/function/"
