#!/bin/sh
# Prints everything beside requirements.txt that decides which files are installed: the key of the
# installation cache. The line "@folder" stands for all files in the function's folder.
set -eu

python3 -c 'import sys, sysconfig; print(sys.version.replace("\n", " "), sysconfig.get_platform())'
env | grep '^PIP_' | LC_ALL=C sort || :
[ -z "${PIP_FIND_LINKS:-}" ] || echo @folder
grep -Eq '^[[:space:]]*(-[A-Za-z-]|\.|/)|file:' "$KUBELESS_DEPS_FILE" || exit 0
echo @folder

# The digests of files outside the folder: those that -r and -c include, local packages, wheels.
python3 - "$KUBELESS_DEPS_FILE" <<'END'
import hashlib, os, re, sys

LINE = re.compile(r'\s*(?:(-[A-Za-z]|--[a-z-]+)[\s=]*|[^\s@]+\s*@\s*)?(?:file:(?://)?)?([^\s\[#;]*)')
root = os.path.dirname(os.path.realpath(sys.argv[1]))
seen = set()

def add(path, included):
    path = os.path.realpath(path)
    if path in seen:
        return
    seen.add(path)
    inside = (path + os.sep).startswith(root + os.sep)
    if os.path.isdir(path) and not inside:
        for name in sorted(os.listdir(path)):
            # pip makes build and *.egg-info.
            if not name.startswith('.') and name not in ('__pycache__', 'build') and not name.endswith('.egg-info'):
                add(os.path.join(path, name), False)
    elif os.path.isfile(path):
        with open(path, 'rb') as file:
            content = file.read()
        if not inside:
            print(hashlib.sha256(content).hexdigest(), os.path.relpath(path, root))
        if included:
            for line in content.decode('utf-8', 'replace').splitlines():
                option, name = LINE.match(line).groups()
                if name:
                    add(os.path.join(os.path.dirname(path), name), option in ('-r', '-c', '--requirement', '--constraint'))

add(sys.argv[1], True)
END
