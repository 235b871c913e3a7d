"""Loads the function's file once and finds the handler in it (PROTOCOL.md, chapter 3)."""

import io
import os
import sys
from difflib import get_close_matches
from types import ModuleType

from .errors import LoadError, is_own, message_of, stack_now

VARARGS = 0x04  # in code.co_flags
ASYNC = 0x80  # CO_COROUTINE


def load(file, name):
    """Returns the handler and its name. Raises LoadError."""
    return find(load_module(file), name, file)


def load_module(file):
    name = stem(file)
    if name in sys.modules:
        name += '_function'
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module  # pickle and multiprocessing look here
    try:
        with io.open(file, 'rb') as source:
            code = compile(source.read(), file, 'exec', 0, True)
        exec(code, module.__dict__)
    except:
        sys.modules.pop(name, None)
        error, stack = sys.exc_info()[1], stack_now()
        raise LoadError('HANDLER_FAILED_TO_LOAD', explain(error, file), stack=stack)
    return module


def stem(file):
    return os.path.splitext(os.path.basename(file))[0]


def explain(error, file):
    """Returns what failed, where and the cure, such as `ImportError: No module named six (hello.py,
    line 3); ...`
    """
    message = message_of(error)
    if not isinstance(error, SyntaxError):
        message += place_of(sys.exc_info()[2], file)
    if isinstance(error, ImportError):
        message += '; list what the function needs in a requirements.txt beside it'
        message += ', in a version for Python %d.%d' % sys.version_info[:2]
    elif isinstance(error, SystemExit):
        message += "; a function's file is loaded once and must not end the process"
    return message


def place_of(trace, file):
    place = ''
    while trace is not None:
        code = trace.tb_frame.f_code
        if not is_own(trace) and os.path.dirname(code.co_filename) == os.path.dirname(file):
            place = ' (%s, line %d)' % (os.path.basename(code.co_filename), trace.tb_lineno)
        trace = trace.tb_next
    return place


def find(module, name, file):
    """Returns the handler of this name, or the only or usual one if the name is empty."""
    if not name:
        return only_one(module, file)
    handler = vars(module).get(name)  # not getattr: every module has __class__ and __init__
    known, base = candidates(module), os.path.basename(file)
    if handler is None:
        message = 'there is no function %s in %s%s' % (name, base, suggestion(name, known))
        raise LoadError('HANDLER_NOT_FOUND', message, handlers=known)
    if not callable(handler):
        message = '%s in %s is no function but a value of type %s' % (name, base, type(handler).__name__)
        raise LoadError('HANDLER_NOT_FOUND', message, handlers=known)
    if getattr(getattr(handler, '__code__', None), 'co_flags', 0) & ASYNC:
        message = '%s in %s is an `async def`, which needs Python 3.6 or later here' % (name, base)
        raise LoadError('HANDLER_FAILED_TO_LOAD', message)
    return handler, name


def only_one(module, file):
    known, base = candidates(module), os.path.basename(file)
    usual = [name for name in ('handler', 'main', stem(file)) if name in known]
    if len(known) == 1 or usual:
        return find(module, (usual or known)[0], file)
    if known:
        message = '%s has several functions: set FUNC_HANDLER to one of %s' % (base, ', '.join(known))
    else:
        message = '%s has no function of the form `def handler(event, context)`' % base
    raise LoadError('HANDLER_NOT_FOUND', message, handlers=known)


def suggestion(name, known):
    close = get_close_matches(name, known, 1) or [other for other in known if other.lower() == name.lower()]
    if close:
        return ': did you mean %s?' % close[0]
    if known:
        return ': it has %s' % ', '.join(known)
    return ': write one, `def %s(event, context)`' % name


def candidates(module):
    """Returns the names of the module's public functions that take an event and a context."""
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith('_') and getattr(value, '__module__', None) == module.__name__ and takes_two(value)
    )


def takes_two(function):
    code = getattr(function, '__code__', None)
    if code is None:
        return False
    most, defaults = code.co_argcount, len(function.__defaults__ or ())
    return most - defaults <= 2 and (most >= 2 or code.co_flags & VARARGS)
