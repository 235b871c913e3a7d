# Read by start.sh: compiles $file, and what it needs of the Java files around it, into $scratch/classes. What it does not
# need may be broken, or belong to another function.

set -- "$file"
for source in "$folder"/*.java; do [ ! -f "$source" ] || [ "$source" = "$file" ] || set -- "$@" "$source"; done

# Kubeless has all files in one folder, whatever their package is; javac looks for a class where its package says.
awk '
	function place() { if (file != "") print package "\t" file }
	FNR == 1 { place(); file = FILENAME; package = "" }
	package == "" && /^[ \t]*package[ \t]/ {
		package = $0
		sub(/^[ \t]*package[ \t]+/, "", package)
		sub(/[ \t]*;.*/, "", package)
		gsub(/\./, "/", package)
	}
	END { place() }
' "$@" >"$scratch/packages"

while IFS= read -r line; do
	package=${line%%	*} source=${line#*	}
	place=$scratch/src/${package:-.}
	mkdir -p "$place"
	name=${source##*/}
	name=${name%.java}.java
	ln -s "$source" "$place/$name"
	[ "$source" != "$file" ] || main=${package:+$package/}$name root=${folder%"/$package"}
done <"$scratch/packages"

cd "$scratch/src"
compile -implicit:class -d "$scratch/classes" -cp "$path" -sourcepath ".:$root:$folder/src/main/java" "$main"
