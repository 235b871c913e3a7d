"""Where modules are found: the function's folder, Python's library, then installed packages."""

import os
import site
import sys

LAYOUTS = ('lib/%s/site-packages', 'lib64/%s/site-packages', 'local/lib/%s/dist-packages')


def add_paths(folder, prefixes):
    """Puts the function's folder first on sys.path, and what is installed in the prefixes before
    Python's own packages.
    """
    packages = [path for path in sys.path if path.endswith(('site-packages', 'dist-packages'))]
    same = {folder, os.path.realpath(folder)}
    sys.path[:] = [folder] + [path for path in sys.path if path not in packages and os.path.realpath(path) not in same]
    before = list(sys.path)
    for prefix in prefixes:
        add_prefix(prefix)
    installed = [path for path in sys.path if path not in before]
    sys.path.extend(path for path in packages if path not in sys.path)
    # For Python processes that the function starts. Kubeless set PYTHONPATH in its Python images.
    given = [path for path in os.environ.get('PYTHONPATH', '').split(os.pathsep) if path]
    os.environ['PYTHONPATH'] = os.pathsep.join(given + [path for path in installed + [folder] if path not in given])


def add_prefix(prefix):
    python = 'python%d.%d' % sys.version_info[:2]
    for layout in LAYOUTS:
        path = os.path.join(prefix, layout % python)
        if os.path.isdir(path):
            site.addsitedir(path)
