"""Loads the function's file once and finds the handler in it (PROTOCOL.md, chapter 3)."""

import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location

from .errors import LoadError, is_own, message_of, stack_of
from .paths import NamesakeFinder, has_namesake, import_own

# code.co_flags, as in the module inspect
VARARGS = 0x04
ASYNC = 0x80 | 0x200  # CO_COROUTINE, CO_ASYNC_GENERATOR

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Handler


class Source(SourceFileLoader):
    """Ignores .pyc files: they are compared by whole seconds, and an editor saves faster."""

    def path_stats(self, path):
        raise OSError


def load(file: str, name: 'str | None') -> 'tuple[Handler, str]':
    """Returns the handler and its name. Raises LoadError."""
    return find(load_module(file), name, file)


def load_module(file):
    name = stem(file)
    if name in sys.modules or has_namesake(name):  # json.py: `import json` goes on to find Python's
        sys.meta_path.insert(0, NamesakeFinder(name))
        name += '_function'
    loader = Source(name, file)
    module = module_from_spec(spec_from_file_location(name, file, loader=loader))  # type: ignore[arg-type]
    sys.modules[name] = module  # pickle and multiprocessing look here
    try:
        loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        raise LoadError('HANDLER_FAILED_TO_LOAD', explain(error, file), stack=stack_of(error)) from None
    return module


def stem(file):
    return os.path.splitext(os.path.basename(file))[0]


def explain(error, file):
    """Returns what failed, where and the cure, such as `ModuleNotFoundError: No module named 'six'
    (hello.py, line 3); …`
    """
    message = message_of(error)
    if not isinstance(error, SyntaxError):
        message += place_of(error, os.path.dirname(file))
    if isinstance(error, ModuleNotFoundError):
        message += '; ' + cure_for_missing(os.path.dirname(file))
    elif isinstance(error, SystemExit):
        message += "; a function's file is loaded once and must not end the process"
    return message


def place_of(error, folder):
    place = ''
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not is_own(trace) and os.path.dirname(file) == folder:
            place = ' (%s, line %d)' % (os.path.basename(file), trace.tb_lineno)
        trace = trace.tb_next
    return place


def cure_for_missing(folder):
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
    """Returns the handler of this name, or the only or usual one if the name is empty."""
    if not name:
        return only_one(module, file)
    handler = vars(module).get(name)  # not getattr: every module has __class__ and __init__
    if callable(handler):
        return handler, name
    known, base = candidates(module), os.path.basename(file)
    if handler is None:
        message = 'there is no function %s in %s%s' % (name, base, suggestion(name, known))
    else:
        message = '%s in %s is no function but a value of type %s' % (name, base, type(handler).__name__)
    raise LoadError('HANDLER_NOT_FOUND', message, handlers=known)


def only_one(module, file):
    known, base = candidates(module), os.path.basename(file)
    usual = [name for name in ('handler', 'main', stem(file)) if name in known]
    if len(known) == 1 or usual:
        name = (usual or known)[0]
        return getattr(module, name), name
    if known:
        message = '%s has several functions: set FUNC_HANDLER to one of %s' % (base, ', '.join(known))
    else:
        message = '%s has no function of the form `def handler(event, context)`' % base
    raise LoadError('HANDLER_NOT_FOUND', message, handlers=known)


def suggestion(name, known):
    get_close_matches = import_own('difflib').get_close_matches
    close = get_close_matches(name, known, 1) or [other for other in known if other.lower() == name.lower()]
    if close:
        return ': did you mean %s?' % close[0]
    if known:
        return ': it has %s' % ', '.join(known)
    return ': write one, `def %s(event, context)`' % name


def candidates(module):
    """Returns the names of the module's public functions that take an event and a context."""
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
    return most - defaults <= 2 and (most >= 2 or code.co_flags & VARARGS)


def is_async(handler: 'Handler') -> bool:
    while hasattr(handler, 'func') and not hasattr(handler, '__code__'):  # functools.partial
        handler = handler.func
    code = getattr(handler, '__code__', None) or getattr(type(handler).__call__, '__code__', None)
    return bool(code is not None and code.co_flags & ASYNC)
