# shellcheck shell=sh disable=SC2034,SC2046,SC2154,SC2164 # the scripts that source this file set -e
# Read by start.sh and compile.sh: compiles the function in $folder (its $file, or all files if
# $file is empty) into $scratch/publish, against the worker in $worker, with the packages in
# $volume.

publish=$scratch/publish

# Records the name of the assembly that has the handlers.
assembly() { printf '%s\n' "$1.dll" >"$publish/.assembly"; }

# ---- with a project

# The list of restored packages contains absolute paths, and the packages may have been moved since,
# or restored for another folder with the same project.
take_restored() {
	cp -R "$volume/restored/obj" "$scratch/obj"
	from=$(cat "$volume/restored/volume") project_from=$(cat "$volume/restored/folder")
	find "$scratch/obj" -type f \( -name '*.json' -o -name '*.props' -o -name '*.targets' -o -name '*.cache' \) -exec \
		sed -i -e "s|$from/restored/obj/|$scratch/obj/|g" -e "s|$from/|$volume/|g" -e "s|$project_from/|$folder/|g" {} +
}

with_project() {
	set -- "$project" -nologo -v:quiet -c Release -o "$publish" -nodeReuse:false -p:UseSharedCompilation=false \
		-p:DirectoryBuildPropsPath="$home/project.props" -p:CustomAfterMicrosoftCommonTargets="$home/project.targets" \
		-p:KubelessFunctions="$worker/Kubeless.Functions.dll" -p:KubelessBuild="$scratch/" -p:TargetFramework="$framework" -p:TargetFrameworks=
	if [ -d "$volume/restored" ]; then
		take_restored
		set -- "$@" --no-restore
	fi
	"$dotnet" publish "$@"
}

# ---- without a project

# Compiles files of one language, that of the last file.
with_compiler() {
	for last; do :; done
	case $last in
	*.fs)
		core=$sdk/FSharp/FSharp.Core.dll
		fsc=$sdk/FSharp/fsc.dll
		[ -f "$fsc" ] || fsc=$sdk/FSharp/fsc.exe
		cp "$core" "$publish/"
		compiler "$fsc" --nologo --noframework --targetprofile:netcore --target:library --optimize+ --debug:portable --warn:0 --crossoptimize- \
			--out:"$publish/function.dll" "-r:$core" "-r:$worker/Kubeless.Functions.dll" $(references) "$@"
		;;
	*.vb)
		compiler "$sdk/Roslyn/bincore/vbc.dll" -nologo -noconfig -nostdlib -deterministic -optimize -debug:portable -nowarn -target:library '-define:_MYTYPE="Empty"' \
			-imports:Microsoft.VisualBasic,System,System.Collections,System.Collections.Generic,System.Linq,System.Threading.Tasks \
			-out:"$publish/function.dll" -vbruntime:"$(ls "$root"/packs/Microsoft.NETCore.App.Ref/*/ref/*/Microsoft.VisualBasic.Core.dll | tail -n 1)" \
			"-r:$worker/Kubeless.Functions.dll" "@$scratch/references" "$@"
		;;
	*)
		csharp -warn:0 -target:library -out:"$publish/function.dll" "-r:$worker/Kubeless.Functions.dll" "@$scratch/references" "$@"
		;;
	esac
}

# Lists all files with the suffix $1, $file last: F# needs definitions before their uses.
all_of() {
	entry=${file##*/}
	find -L . -maxdepth 10 \( -name '.?*' -o -name bin -o -name obj -o -path ./publish -o -path ./packages \) -prune \
		-o -name "*$1" -type f ! -path "./${entry:-.}" -print | LC_ALL=C sort | sed 's|^\./||' >"$scratch/files"
	[ -z "$entry" ] || printf '%s\n' "$entry" >>"$scratch/files"
}

without_project() {
	references >"$scratch/references"
	if [ -n "$file" ]; then
		# By itself first: the files beside it may be other functions.
		name=${file##*/}
		if with_compiler "$name" >"$scratch/alone" 2>&1; then return; fi
		case $name in *.cs | *.fs | *.vb) suffix=.${name##*.} ;; *) suffix= ;; esac
		# Only unknown names can be defined in other files.
		if [ -z "$suffix" ] || grep 'error' "$scratch/alone" | grep -Eqv 'error (CS0103|CS0246|CS0234|CS0400|FS0039|BC30002|BC30451|BC40056)\b'; then
			cat "$scratch/alone"
			return 1
		fi
	else
		for suffix in .cs .fs .vb ''; do
			all_of "$suffix"
			[ ! -s "$scratch/files" ] || break
		done
		[ -n "$suffix" ] || { echo "There is no file of C#, F# or Visual Basic in $folder. Add one that ends in .cs, .fs or .vb."; return 1; }
	fi
	all_of "$suffix"
	set --
	while IFS= read -r name; do set -- "$@" "$name"; done <"$scratch/files"
	with_compiler "$@"
}

cd "$folder"
mkdir -p "$publish"
project=$(project_of "$folder")
if [ -n "$project" ]; then
	with_project
else
	assembly function
	without_project
fi
