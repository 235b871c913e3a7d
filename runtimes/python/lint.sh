#!/bin/sh
# Checks the workers with ruff, mypy and vermin. Exit code 1: findings, 69: a tool is missing. With
# CI=true or KUBELESS_SETUP=true, pip installs the tools into $LINT_TOOLS.
set -u

cd "$(dirname "$0")" || exit 1
tools=${LINT_TOOLS:-$PWD/../../node_modules/.cache/lint}/python
packages='ruff==0.17.6 mypy==2.4.1 vermin==1.9.2'
if [ "$(cat "$tools/installed" 2>/dev/null)" != "$packages" ]; then
	if [ "${CI:-}" = true ] || [ "${KUBELESS_SETUP:-}" = true ]; then
		rm -rf "$tools"
		# shellcheck disable=SC2086 # three arguments
		python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$tools" $packages >&2 \
			&& echo "$packages" >"$tools/installed"
	fi
fi
if [ ! -f "$tools/installed" ]; then
	echo "ruff, mypy and vermin are missing. Run KUBELESS_SETUP=true npm run check (needs Python 3 and pip)." >&2
	exit 69
fi
export PYTHONPATH="$tools" PYTHONDONTWRITEBYTECODE=1

status=0
"$tools/bin/ruff" check --quiet --cache-dir "$tools/ruff" . || status=1
"$tools/bin/ruff" format --quiet --check --cache-dir "$tools/ruff" . || status=1
python3 -m mypy --no-error-summary --cache-dir "$tools/mypy" || status=1
# minimum VERSIONS FILE...: no file may need a later version of Python.
minimum() {
	versions=$1
	shift
	# Excluded: modules that are only imported where they exist.
	# shellcheck disable=SC2086 # several options
	"$tools/bin/vermin" --quiet $versions --no-tips --violations --exclude typing.TypedDict --exclude queue --exclude Queue \
		--exclude urllib.parse "$@" >"$tools/vermin.log" || {
		cat "$tools/vermin.log"
		status=1
	}
}
minimum -t=3.6- worker.py _kubeless
minimum '-t=2.7 -t=3.4-' bom.py older
exit "$status"
