# shellcheck shell=sh disable=SC2034,SC2154
# Read by the other scripts, which set $home: which .NET there is, its compilers, and what decides whether something is compiled
# anew. Every start comes through here, so there are few processes in it.

if [ -n "${DOTNET_ROOT:-}" ] && [ -x "$DOTNET_ROOT/dotnet" ]; then
	dotnet=$DOTNET_ROOT/dotnet
else
	dotnet=$(command -v dotnet || true)
fi
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false

# $root, where all of it lies: beside the command, or where the command says, if that is a script.
root=$(readlink -f "$dotnet" || true)
root=${root%/*}
if [ -n "$dotnet" ] && [ ! -d "$root/shared" ]; then
	root=$("$dotnet" --list-runtimes | sed -n 's|^Microsoft\.NETCore\.App .*\[\(.*\)/shared/.*|\1|p' | tail -n 1)
fi

sha() { sha256sum | cut -c 1-16; }

# Compiled code is kept by what it was made from, and by the .NET that made it.
worker_key() {
	{ ls -d "$root"/sdk/* "$root"/shared/*/* && cat "$home"/*.sh "$home"/src/*.cs "$home"/src/worker/*.cs; } 2>/dev/null | sha
}

# The files of the working folder that a function is compiled from, by name; without what builds leave behind. $file need not be
# called like one.
source_files() {
	own=${file##*/}
	find -L . -maxdepth 10 \( -name '.?*' -o -name node_modules -o -name bin -o -name obj -o -path ./publish -o -path ./packages \) -prune \
		-o \( -name '*.cs' -o -name '*.fs' -o -name '*.vb' -o -name '*.??proj' -o -name '*.props' -o -name '*.targets' -o -name '*.resx' \
		-o -name '*.json' -o -name '*.config' -o -path "./${own:-project.csproj}" \) -type f -print | LC_ALL=C sort
}

# The content of a folder's files, and their names; more words change it too.
source_key() (
	cd "$1"
	shift
	names=$(source_files)
	{ printf '%s\n' "$names" "$@" && printf '%s\n' "$names" | tr '\n' '\0' | xargs -0 cat; } | sha
)

# The project file of the folder $1: Kubeless's own name for it first, which is often there and empty; "" where there is none.
project_of() {
	for project in "$1/project.csproj" "$1"/*.csproj "$1"/*.fsproj "$1"/*.vbproj; do
		if [ -f "$project" ] && grep -q '[^[:space:]]' "$project"; then
			printf '%s\n' "$project"
			return
		fi
	done
}

latest() { ls "$1" 2>/dev/null | grep "^$2" | sort -V | tail -n 1; }

# Sets $sdk, its version and the framework it compiles for.
find_sdk() {
	version=$(latest "$root/sdk" '[0-9]')
	[ -n "$version" ] || return 1
	sdk=$root/sdk/$version
	minor=${version#*.}
	minor=${version%%.*}.${minor%%.*}
	case $minor in 3.*) framework=netcoreapp$minor ;; *) framework=net$minor ;; esac
	# Any user may run this, one without a home as well.
	[ -w "${HOME:-/nonexistent}" ] || HOME=${TMPDIR:-/tmp}
	export HOME DOTNET_CLI_HOME="$HOME"
	# Its first words to a new user are not for a log.
	[ -f "$HOME/.dotnet/$version.dotnetFirstUseSentinel" ] || { mkdir -p "$HOME/.dotnet" && : >"$HOME/.dotnet/$version.dotnetFirstUseSentinel"; } || true
	# NuGet reads the user's own sources and keys there; a secret of an installer is a file in HOME.
	if [ -f "$HOME/nuget.config" ] && [ ! -f "$HOME/.nuget/NuGet/NuGet.Config" ]; then
		mkdir -p "$HOME/.nuget/NuGet" && cp "$HOME/nuget.config" "$HOME/.nuget/NuGet/NuGet.Config"
	fi
}

# Writes the references of every compiler call, one a line.
references() {
	for pack in Microsoft.NETCore.App.Ref Microsoft.AspNetCore.App.Ref; do
		printf -- '-r:%s\n' "$root/packs/$pack/$(latest "$root/packs/$pack" "$minor\.")/ref/$framework"/*.dll
	done
}

# Runs one of the SDK's compilers; what it says names files as it was given them.
compiler() {
	program=$1
	shift
	# Short programs: code that begins to run at once is worth more than code that runs fast.
	COMPlus_TC_QuickJitForLoops=1 DOTNET_TieredPGO=0 "$dotnet" exec "$program" "$@"
}

csharp() {
	compiler "$sdk/Roslyn/bincore/csc.dll" -nologo -noconfig -nostdlib -deterministic -optimize -debug:portable -warn:0 "$@"
}
