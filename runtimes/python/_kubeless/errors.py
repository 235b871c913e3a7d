"""The errors of a call and of a start, and the text that an exception gets in a frame."""

import os
import traceback

from .wire import encode_line

MAX_MESSAGE_CHARACTERS = 4096
MAX_STACK_CHARACTERS = 16 * 1024
OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class CallError(Exception):
    """Becomes an `error` frame with this code (PROTOCOL 4.6) and without a stack."""

    code = ''


class Cancelled(CallError):
    code = 'CANCELLED'


class LoadError(Exception):
    """Becomes a `failed` frame (PROTOCOL 3.2)."""

    def __init__(self, code, message, **more):
        super().__init__(message)
        self.fields = dict(more, type='failed', code=code, message=message)


def guard(run, *args):
    """Runs a part of the worker. Ends the process if it raises, even if the stack cannot be printed
    (no memory, no loader): without its reader a worker would neither answer nor notice the end of
    the loader.
    """
    try:
        run(*args)
    except BaseException as error:  # what handlers raise ends in calls.py and tasks.py
        try:
            os.write(2, stack_of(error).encode('utf-8', 'replace'))
        finally:
            os._exit(70)


def error_frame(call: int, error: BaseException) -> bytes:
    """Returns the `error` frame that ends the call."""
    fields = {'type': 'error', 'id': call, 'message': message_of(error)}
    if isinstance(error, CallError):
        fields['code'] = error.code
    else:
        fields['stack'] = stack_of(error)
    return encode_line(fields)


def message_of(error: BaseException) -> str:
    """Returns the type and the text of an exception, such as `ValueError: no such user`."""
    try:
        text = str(error)
    except BaseException as second:  # __str__ is the function's code and may raise anything
        text = '(no text: __str__ raised %s)' % type(second).__name__
    if not isinstance(error, CallError):
        name = type(error).__qualname__
        text = '%s: %s' % (name, text) if text else name
    return shorten(text, MAX_MESSAGE_CHARACTERS)


def stack_of(error: BaseException) -> str:
    """Returns the traceback, without the frames of the worker that called the function."""
    try:
        text = ''.join(traceback.format_exception(type(error), error, function_part(error.__traceback__)))
    except BaseException as second:
        text = '%s\n(no traceback: formatting it raised %s)' % (message_of(error), type(second).__name__)
    return shorten(text, MAX_STACK_CHARACTERS)


def function_part(trace):
    while trace is not None and is_own(trace):
        trace = trace.tb_next
    return trace


def is_own(trace):
    """Returns whether the traceback entry is in the worker or in Python's import system."""
    name = trace.tb_frame.f_code.co_filename
    return name.startswith((OWN_FOLDER, '<frozen importlib'))


def shorten(text, limit):
    """Cuts from the middle: the start of a traceback shows the call, its end shows the error."""
    if len(text) <= limit:
        return text
    cut = '\n  … %d characters …\n' % (len(text) - limit)
    return text[: limit // 4] + cut + text[len(text) - limit + limit // 4 :]
