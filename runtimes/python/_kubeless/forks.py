"""Children that a function makes by fork: they must neither hold the wire nor come back to it (PROTOCOL 1.2)."""

import os
import sys

from . import output
from .errors import stack_of


def guard(wire):
    def forget():
        wire.leave_to_parent()
        output.partial.clear()
        for each in output.outputs:
            each.renew_lock()

    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=forget)
    else:  # Python 3.6
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
    """A child that has come out of the handler ends here, as a program would that has come to its end."""
    code = 0
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        code = error.code or 0
    elif error is not None:
        code = 1
        sys.stderr.write(stack_of(error))
    os._exit(code)
