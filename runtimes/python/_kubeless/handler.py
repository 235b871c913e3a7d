"""Finds and loads the function (PROTOCOL.md, chapter 3)."""

import os
import site
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location

from .errors import is_ours, message_of, stack_of

ASYNC = 0x80 | 0x200  # CO_COROUTINE, CO_ASYNC_GENERATOR
VARARGS = 0x04


class LoadFailure(Exception):
    """What `failed` says."""

    def __init__(self, code, message, **more):
        self.fields = dict(more, type='failed', code=code, message=message)


class Source(SourceFileLoader):
    """Never takes the function from a .pyc: those go by the second, and somebody who edits is faster."""

    def path_stats(self, path):
        raise OSError


def add_paths(folder, prefixes):
    """The function's folder, Python's own library, what is installed for the function, and for us, and then the rest."""
    packages = [path for path in sys.path if path.endswith(('site-packages', 'dist-packages'))]
    sys.path[:] = [folder] + [path for path in sys.path if path not in packages and path != folder]
    before = list(sys.path)
    python = 'python%d.%d' % sys.version_info[:2]
    for prefix in prefixes:
        for layout in 'lib/%s/site-packages', 'lib64/%s/site-packages', 'local/lib/%s/dist-packages':
            path = os.path.join(prefix, layout % python)
            if os.path.isdir(path):
                site.addsitedir(path)
    installed = [path for path in sys.path if path not in before]
    sys.path.extend(path for path in packages if path not in sys.path)
    # Python processes that the function starts find the same; Kubeless set this variable in all its Python images.
    given = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    paths = [path for path in given if path]
    paths += [path for path in installed + [folder] if path not in paths]
    os.environ['PYTHONPATH'] = os.pathsep.join(paths)


def load(file, name):
    """-> the handler and its name"""
    module = load_module(file)
    return find(module, name, os.path.basename(file))


def load_module(file):
    name = os.path.splitext(os.path.basename(file))[0]
    if name in sys.modules:  # json.py, say: everybody else goes on to find Python's own under that name
        name += '_function'
    spec = spec_from_file_location(name, file, loader=Source(name, file))
    module = module_from_spec(spec)
    sys.modules[name] = module  # pickle and multiprocessing look there
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        raise LoadFailure('HANDLER_FAILED_TO_LOAD', explain(error, file), stack=stack_of(error))
    return module


def explain(error, file):
    """`ModuleNotFoundError: No module named 'six' (hello.py, line 3); …`"""
    message = message_of(error)
    if not isinstance(error, SyntaxError):
        message += place_of(error, os.path.dirname(file))
    if isinstance(error, ModuleNotFoundError):
        message += '; ' + missing(os.path.dirname(file))
    elif isinstance(error, SystemExit):
        message += "; a function's file is loaded once and must not end the process"
    return message


def place_of(error, folder):
    place = ''
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not is_ours(trace) and os.path.dirname(file) == folder:
            place = ' (%s, line %d)' % (os.path.basename(file), trace.tb_lineno)
        trace = trace.tb_next
    return place


def missing(folder):
    python = 'Python %d.%d' % sys.version_info[:2]
    try:
        with open(os.path.join(folder, 'requirements.txt')) as file:
            listed = file.read().strip()
    except (OSError, ValueError):
        listed = ''
    if listed:
        return 'is everything in requirements.txt installed, and for %s?' % python
    return 'list what the function needs in a requirements.txt beside it'


def find(module, name, file):
    if not name:
        return only_one(module, file)
    handler = getattr(module, name, None)
    if handler is None:
        known = candidates(module)
        message = 'there is no function %s in %s' % (name, file)
        raise LoadFailure('HANDLER_NOT_FOUND', message + hint(name, known, file), handlers=known)
    if not callable(handler):
        kind = type(handler).__name__
        message = '%s in %s is no function but a value of type %s' % (name, file, kind)
        raise LoadFailure('HANDLER_NOT_FOUND', message, handlers=candidates(module))
    return handler, name


def only_one(module, file):
    known = candidates(module)
    usual = [name for name in ('handler', 'main', module.__name__) if name in known]
    if len(known) == 1 or usual:
        name = (usual or known)[0]
        return getattr(module, name), name
    if known:
        message = '%s has several functions: say which one with FUNC_HANDLER (%s)' % (file, ', '.join(known))
    else:
        message = '%s has no function of the form `def handler(event, context)`' % file
    raise LoadFailure('HANDLER_NOT_FOUND', message, handlers=known)


def hint(name, known, file):
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1) or [other for other in known if other.lower() == name.lower()]
    if close:
        return ': did you mean %s?' % close[0]
    if known:
        return ': it has %s' % ', '.join(known)
    return ': write one, `def %s(event, context)`' % name


def candidates(module):
    """The public functions of the module that take an event and a context."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith('_') and getattr(value, '__module__', None) == module.__name__ and takes_two(value)
    ]


def takes_two(function):
    code = getattr(function, '__code__', None)
    if code is None:
        return False
    most, defaults = code.co_argcount, len(function.__defaults__ or ())
    return code.co_flags & VARARGS and most - defaults <= 2 or most - defaults <= 2 <= most


def is_async(handler):
    while hasattr(handler, 'func') and not hasattr(handler, '__code__'):  # functools.partial
        handler = handler.func
    code = getattr(handler, '__code__', None) or getattr(type(handler).__call__, '__code__', None)
    return bool(code is not None and code.co_flags & ASYNC)
