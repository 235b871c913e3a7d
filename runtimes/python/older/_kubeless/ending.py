"""Ends the worker after `stop`: the function's SIGTERM handler, then its exit functions, then the
process.
"""

import atexit
import os
import signal
import sys

from .errors import stack_now
from .output import outputs


def run_sigterm_handler():
    """Runs the function's SIGTERM handler, if it has installed one. Runs on the main thread."""
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        survive(lambda: handler(signal.SIGTERM, None))


def leave(wire, code):
    """Runs the exit functions, flushes and exits.

    Uses os._exit: interpreter shutdown can crash while daemon threads are inside C code.
    """
    survive(atexit._run_exitfuncs)
    for stream in outputs + [sys.__stdout__, sys.__stderr__]:
        survive(stream.flush)
    wire.flush()
    os._exit(code)


def survive(function):
    try:
        function()
    except SystemExit:  # the usual last line of a SIGTERM handler
        pass
    except:
        sys.stderr.write(stack_now())
