#!/bin/sh
# Checks with vermin that the worker in older/ needs no later Python than 3.4.
set -eu

tools=$CHECK_CACHE/vermin
[ -x "$tools/bin/vermin" ] \
	|| python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$tools" vermin==1.9.2 >&2
cd ../../runtimes/python
for version in 3.4 3.5; do
	echo "$version"
	PYTHONPATH=$tools "$tools/bin/vermin" --quiet -t="$version-" --no-tips --violations --exclude queue --exclude urllib.parse \
		--exclude Queue bom.py worker.py older || true
done
