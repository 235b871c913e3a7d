"""Children that a function forks: they must neither hold the wire nor answer its calls (PROTOCOL
1.2).
"""

import os
import sys

from . import output
from .errors import stack_now


def guard(wire):
    """Makes every forked child close the wire before it runs code of the function."""

    def forget():
        wire.leave_to_parent()
        output.partial.clear()
        for each in output.outputs:
            each.renew_lock()

    os.fork = and_then(os.fork, forget, lambda pid: pid == 0)
    os.forkpty = and_then(os.forkpty, forget, lambda pair: pair[0] == 0)


def and_then(fork, forget, in_child):
    def forked():
        made = fork()
        if in_child(made):
            forget()
        return made

    return forked


def end_child(error=None):
    """Ends a child whose code has returned from the handler, with the exit code of a program that
    ends so. An error is the one that is being handled.
    """
    code = 0
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        code = error.code or 0
    elif error is not None:
        code = 1
        sys.stderr.write(stack_now())
    os._exit(code)
