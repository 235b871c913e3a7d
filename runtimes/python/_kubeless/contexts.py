"""Gives each call a copy of the execution context in which the function's file was loaded.

ContextVars and decimal settings made at load hold in every call; those of a call end with it.
"""

import sys
from threading import local

try:
    from contextvars import ContextVar, copy_context  # novermin
except ImportError:  # Python 3.6: values are per thread, and coroutines have none

    class ContextVar:  # type: ignore[no-redef]
        def __init__(self, name, default):
            self.values, self.default = local(), default

        def get(self):
            return getattr(self.values, 'value', self.default)

        def set(self, value):
            self.values.value = value

    class ThreadContext:
        def copy(self):
            return self

        def run(self, function, *args):
            return function(*args)

    copy_context = ThreadContext  # type: ignore[assignment]

PER_COROUTINE = sys.version_info >= (3, 7)


class NoCall:
    call = 0


current: 'ContextVar' = ContextVar('kubeless_call', default=NoCall)
"""The Extensions of the call that the code runs for. Their `call` is 0 once it is answered."""


def decimal_setter():
    """Returns a function that sets a copy of the decimal context that the loaded file has set.

    A copy, because decimal.getcontext().prec = 6 changes an object that all copies of the
    execution context share. Returns None if the file did not import decimal.
    """
    decimal = sys.modules.get('decimal')
    if decimal is None or not hasattr(decimal, 'setcontext'):  # a helper of this name has no such function
        return None
    set_context, loaded = decimal.setcontext, decimal.getcontext().copy()
    return lambda: set_context(loaded.copy())
