# shellcheck shell=sh disable=SC2034,SC2154,SC2164,SC2174 # the scripts that source this file set -e
# Read by the other scripts, which set $home: finds .NET and its compilers, and computes the keys
# that compiled code is kept by. Every start reads this file, so it runs few processes.

if [ -n "${DOTNET_ROOT:-}" ] && [ -x "$DOTNET_ROOT/dotnet" ]; then
	dotnet=$DOTNET_ROOT/dotnet
else
	dotnet=$(command -v dotnet || true)
fi
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# A .NET process makes sockets and pipes for debuggers in TMPDIR, which stay there when it is
# killed.
DOTNET_EnableDiagnostics=${DOTNET_EnableDiagnostics:-${COMPlus_EnableDiagnostics:-0}}
COMPlus_EnableDiagnostics=$DOTNET_EnableDiagnostics # .NET 3.1's name of it
export DOTNET_EnableDiagnostics COMPlus_EnableDiagnostics

# $root: .NET's folder. It is the command's own folder, unless the command is a script.
root=$(readlink -f "$dotnet" || true)
root=${root%/*}
if [ -n "$dotnet" ] && [ ! -d "$root/shared" ]; then
	root=$("$dotnet" --list-runtimes | sed -n 's|^Microsoft\.NETCore\.App .*\[\(.*\)/shared/.*|\1|p' | tail -n 1)
fi

# ---- folders of this user alone

# True if the folder $1 belongs to this user and no other user can write to it.
is_private() {
	[ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && [ -w "$1" ] && [ -z "$(find "$1" -prune -perm /022)" ]
}

# Sets $own: a folder in TMPDIR, for users without a home.
own_folder() {
	own=${TMPDIR:-/tmp}/kubeless-loader-$(id -u)
	mkdir -m 700 "$own" 2>/dev/null || :
	is_private "$own" || { refused=$own; return 1; }
}

# Sets $cache, where compiled code is kept. It is private, because the code in it is run. If there
# is no such folder, $refused is the one that was tried.
find_cache() {
	cache=${KUBELESS_LOADER_CACHE:-}
	[ -n "$cache" ] || [ -z "${XDG_CACHE_HOME:-}" ] || cache=$XDG_CACHE_HOME/kubeless-loader
	[ -n "$cache" ] || [ -z "${HOME:-}" ] || cache=$HOME/.cache/kubeless-loader
	if [ -n "$cache" ]; then
		cache=$cache/dotnetcore.compiled
		mkdir -p -m 700 "$cache" 2>/dev/null || :
		if is_private "$cache"; then return; fi
		refused=$cache
		[ -z "${KUBELESS_LOADER_CACHE:-}" ] || return 1
	fi
	own_folder || return 1
	cache=$own/dotnetcore.compiled
	mkdir -p -m 700 "$cache"
}

# Sets $scratch to a new folder in $cache, and removes those that killed processes have left.
make_scratch() {
	machine=$(uname -n).$(readlink /proc/self/ns/pid | tr -dc 0-9) # process ids mean nothing in another namespace
	for left in "$cache"/scratch.*; do
		process=${left##*/scratch.}
		process=${process%%.*}
		case $left in *".$process.$machine") kill -0 "$process" 2>/dev/null || rm -rf "$left" ;; esac
	done
	find "$cache" -maxdepth 1 -name 'scratch.*' -mmin +60 -exec rm -rf {} +
	scratch=$cache/scratch.$$.$machine
	rm -rf "$scratch"
	mkdir "$scratch"
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
}

# ---- keys

sha() { sha256sum | cut -c 1-16; }

# Of the worker: its source and the .NET that compiles it.
worker_key() {
	{ ls -d "$root"/sdk/* "$root"/shared/*/* && cat "$home"/*.sh "$home"/src/*.cs "$home"/src/worker/*.cs; } 2>/dev/null | sha
}

# Prints the names of the files in the working folder that a function is compiled from, sorted,
# without the output of builds. $file may have any suffix.
source_files() {
	entry=${file##*/}
	find -L . -maxdepth 10 \( -name '.?*' -o -name node_modules -o -name bin -o -name obj -o -path ./publish -o -path ./packages \) -prune \
		-o \( -name '*.cs' -o -name '*.fs' -o -name '*.vb' -o -name '*.??proj' -o -name '*.props' -o -name '*.targets' -o -name '*.resx' \
		-o -name '*.json' -o -name '*.config' -o -path "./${entry:-project.csproj}" \) -type f -print | LC_ALL=C sort
}

# Of the names and the content of the files in folder $1, and of the further words.
source_key() (
	cd "$1"
	shift
	names=$(source_files)
	{ printf '%s\n' "$names" "$@" && printf '%s\n' "$names" | tr '\n' '\0' | xargs -0 cat; } | sha
)

# How often a function is compiled again because its files changed meanwhile.
max_attempts=5

# ---- the SDK

# Prints the project file of the folder $1, Kubeless's own name for it first; nothing if there is
# none. An empty one is none: Kubeless makes it for every function.
project_of() {
	for project in "$1/project.csproj" "$1"/*.csproj "$1"/*.fsproj "$1"/*.vbproj; do
		if [ -f "$project" ] && grep -q '[^[:space:]]' "$project"; then
			printf '%s\n' "$project"
			return
		fi
	done
}

# shellcheck disable=SC2010 # names of versions
latest() { ls "$1" 2>/dev/null | grep "^$2" | sort -V | tail -n 1; }

# Sets $sdk, its $version, and the $framework that it compiles for; else $missing says why it
# cannot.
find_sdk() {
	missing='there is no .NET SDK: install one (https://dot.net)'
	version=$(latest "$root/sdk" '[0-9]')
	[ -n "$version" ] || return 1
	sdk=$root/sdk/$version
	references=$(latest "$root/packs/Microsoft.NETCore.App.Ref" '[0-9]')
	[ -n "$references" ] || return 1
	minor=${references#*.}
	minor=${references%%.*}.${minor%%.*}
	case $minor in 3.*) framework=netcoreapp$minor ;; *) framework=net$minor ;; esac
	# NuGet and MSBuild read their settings from HOME and write to it.
	if [ ! -w "${HOME:-/nonexistent}" ]; then
		missing="HOME cannot be written, and ${TMPDIR:-/tmp}/kubeless-loader-$(id -u) is not private: set HOME to a folder of your own"
		own_folder || return 1
		HOME=$own
	fi
	export HOME DOTNET_CLI_HOME="$HOME"
	# Without this file the SDK prints its welcome into the log.
	[ -f "$HOME/.dotnet/$version.dotnetFirstUseSentinel" ] || { mkdir -p "$HOME/.dotnet" && : >"$HOME/.dotnet/$version.dotnetFirstUseSentinel"; } || true
	# The secret of an installer is a file in HOME; NuGet reads its user settings from another place.
	if [ -f "$HOME/nuget.config" ] && [ ! -f "$HOME/.nuget/NuGet/NuGet.Config" ]; then
		mkdir -p "$HOME/.nuget/NuGet" && cp "$HOME/nuget.config" "$HOME/.nuget/NuGet/NuGet.Config"
	fi
}

# Prints the compiler's options for the framework's assemblies, one a line.
references() {
	for pack in Microsoft.NETCore.App.Ref Microsoft.AspNetCore.App.Ref; do
		printf -- '-r:%s\n' "$root/packs/$pack/$(latest "$root/packs/$pack" "$minor\.")/ref/$framework"/*.dll
	done
}

# Runs one of the SDK's compilers. Its messages name files as the options do.
compiler() {
	program=$1
	shift
	# A compiler runs shortly: quick compilation of its own code pays off, optimising it does not.
	COMPlus_TC_QuickJitForLoops=1 DOTNET_TieredPGO=0 "$dotnet" exec "$program" "$@"
}

csharp() {
	compiler "$sdk/Roslyn/bincore/csc.dll" -nologo -noconfig -nostdlib -deterministic -optimize -debug:portable "$@"
}
