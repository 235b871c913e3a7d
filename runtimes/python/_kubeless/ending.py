"""Ends the worker after `stop`: the function's SIGTERM handler, then its exit functions, then the
process.
"""

import atexit
import os
import signal
import sys
from _thread import get_ident, start_new_thread
from time import sleep

from .errors import stack_of
from .output import outputs

MAX_THREADS_S = 1  # time that threads of the function may take to end; exit functions may take longer
ending = {'code': 1, 'joined': False}


def register(wire):
    """Must be called before the function is loaded: exit functions run in reverse order, and this
    one is the last.
    """
    atexit.register(end, wire)


def leave(code):
    """Lets the interpreter end, but wait for threads of the function for a second only.

    Runs on the main thread.
    """
    ending['code'] = code
    atexit.register(ending.update, joined=True)  # runs first, after the threads have ended
    start_new_thread(stop_waiting, ())


def stop_waiting():
    sleep(MAX_THREADS_S)
    if not ending['joined']:
        atexit._run_exitfuncs()


def end(wire):
    """Flushes and exits.

    Uses os._exit: interpreter shutdown can crash while daemon threads are inside C code.
    """
    try:
        for stream in outputs + [sys.__stdout__, sys.__stderr__]:
            if stream is not None:
                stream.flush()
        wire.flush()
    finally:
        os._exit(ending['code'])


def raise_sigterm():
    """Runs the function's SIGTERM handler, if it has installed one.

    Returns whether it has. Runs on the main thread.
    """
    if not callable(signal.getsignal(signal.SIGTERM)):
        return False
    try:
        signal.pthread_kill(get_ident(), signal.SIGTERM)  # unlike os.kill, returns after the handler
    except SystemExit:  # the usual last line of such a handler
        pass
    except BaseException as error:
        sys.stderr.write(stack_of(error))
    return True
