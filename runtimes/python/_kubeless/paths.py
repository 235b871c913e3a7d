"""Where modules are found: the function's folder, Python's library, then installed packages.

A file in the function's folder hides a module of the same name from the function only. Imports of
the worker skip the folder; so does an import of the function's file under its own name.
"""

import os
import site
import sys
from _thread import get_ident
from importlib import import_module
from importlib.machinery import PathFinder

LAYOUTS = ('lib/%s/site-packages', 'lib64/%s/site-packages', 'local/lib/%s/dist-packages')
folders: 'set[str]' = set()  # the function's folder, in each way that sys.path may spell it
own: 'dict[str, object]' = {}  # modules that import_own has imported


def add_paths(folder, prefixes):
    """Puts the function's folder first on sys.path, and what is installed in the prefixes before
    Python's own packages.
    """
    folders.update((folder, os.path.realpath(folder)))
    packages = [path for path in sys.path if path.endswith(('site-packages', 'dist-packages'))]
    sys.path[:] = [folder] + [path for path in sys.path if path not in packages and not is_function_folder(path)]
    before = list(sys.path)
    for prefix in prefixes:
        add_prefix(prefix)
    installed = [path for path in sys.path if path not in before]
    sys.path.extend(path for path in packages if path not in sys.path)
    # For Python processes that the function starts. Kubeless set PYTHONPATH in its Python images.
    given = [path for path in os.environ.get('PYTHONPATH', '').split(os.pathsep) if path]
    os.environ['PYTHONPATH'] = os.pathsep.join(given + [path for path in installed + [folder] if path not in given])


def add_prefix(prefix):
    python = ('pypy' if 'pypy' in sys.version.lower() else 'python') + '%d.%d' % sys.version_info[:2]
    for layout in LAYOUTS:
        path = os.path.join(prefix, layout % python)
        if os.path.isdir(path):
            site.addsitedir(path)


def is_function_folder(path):
    return path in folders or os.path.realpath(path) in folders


def elsewhere():
    return [path for path in sys.path if not is_function_folder(path)]


def has_namesake(name):
    """Returns whether Python or an installed package has a module of this name."""
    return name in sys.builtin_module_names or PathFinder.find_spec(name, elsewhere()) is not None


class NamesakeFinder:
    """Finds the module that a file of the function's folder hides: redis.py can import the package
    redis.
    """

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        return PathFinder.find_spec(name, elsewhere()) if name == self.name else None


class OwnFinder:
    """Finds modules for one thread without the function's folder."""

    def __init__(self):
        self.thread = get_ident()

    def find_spec(self, name, path=None, target=None):
        if path is None and get_ident() == self.thread:
            return PathFinder.find_spec(name, elsewhere())
        return None


def import_own(name: str):
    """Imports a module for the worker: a helper of the function, such as email.py, does not take
    the place of Python's.
    """
    module = own.get(name)
    if module is None:
        module = own[name] = import_without_helpers(name)
    return module


def import_without_helpers(name):
    hiding = {
        helper: module
        for helper, module in list(sys.modules.items())
        if is_helper(module) and '.' not in helper and has_namesake(helper)
    }
    finder = OwnFinder()
    sys.meta_path.insert(0, finder)
    for helper in hiding:
        del sys.modules[helper]
    try:
        return import_module(name)
    finally:
        sys.modules.update(hiding)
        sys.meta_path.remove(finder)


def is_helper(module):
    file = getattr(module, '__file__', None)
    return isinstance(file, str) and is_function_folder(os.path.dirname(file))
