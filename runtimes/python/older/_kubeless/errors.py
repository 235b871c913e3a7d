"""The errors of a call and of a start, and the text that an exception gets in a frame."""

import os
import sys
import traceback

from .wire import encode_line

MAX_MESSAGE_CHARACTERS = 4096
MAX_STACK_CHARACTERS = 16 * 1024
OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
PYTHON_2 = sys.version_info < (3,)
text_type = type(b''.decode('ascii'))


class CallError(Exception):
    """Becomes an `error` frame with this code (PROTOCOL 4.6) and without a stack."""

    code = ''


class Cancelled(CallError):
    code = 'CANCELLED'


class LoadError(Exception):
    """Becomes a `failed` frame (PROTOCOL 3.2)."""

    def __init__(self, code, message, **more):
        super(LoadError, self).__init__(message)
        self.fields = dict(more, type='failed', code=code, message=message)


def guard(run):
    """Runs a part of the worker. Ends the process if it raises, even if the stack cannot be printed
    (no memory, no loader): without its reader a worker would neither answer nor notice the end of
    the loader.
    """
    try:
        run()
    except:  # what handlers raise ends in calls.py
        try:
            os.write(2, stack_now().encode('utf-8', 'replace'))
        finally:
            os._exit(70)


def error_frame(call):
    """Returns the `error` frame for the exception that is being handled."""
    error = sys.exc_info()[1]
    fields = {'type': 'error', 'id': call, 'message': message_of(error)}
    if isinstance(error, CallError):
        fields['code'] = error.code
    else:
        fields['stack'] = stack_now()
    return encode_line(fields)


def message_of(error):
    """Returns the type and the text of an exception, such as `ValueError: no such user`."""
    kind = getattr(error, '__class__', type(error))
    try:
        text = text_of(error)
    except:  # __str__ is the function's code and may raise anything
        text = '(no text: __str__ raised %s)' % sys.exc_info()[0].__name__
    if not isinstance(error, CallError):
        name = getattr(kind, '__qualname__', kind.__name__)
        text = '%s: %s' % (name, text) if text else name
    return shorten(text, MAX_MESSAGE_CHARACTERS)


def text_of(error):
    try:
        return to_text(str(error))
    except UnicodeEncodeError:  # Python 2.7: the text is unicode
        return text_type(error)


def stack_now():
    """Returns the traceback of the exception that is being handled, without the frames of the
    worker that called the function.
    """
    kind, error, trace = sys.exc_info()
    while trace is not None and is_own(trace):
        trace = trace.tb_next
    try:
        if PYTHON_2 and not isinstance(error, SyntaxError):  # format_exception escapes text that is not ASCII
            lines = traceback.format_tb(trace) + [message_of(error) + '\n']
            if trace is not None:
                lines.insert(0, 'Traceback (most recent call last):\n')
        else:
            lines = traceback.format_exception(kind, error, trace)
        text = to_text('').join(map(to_text, lines))
    except:
        text = '%s\n(no traceback: formatting it raised %s)' % (message_of(error), sys.exc_info()[0].__name__)
    return shorten(text, MAX_STACK_CHARACTERS)


def is_own(trace):
    """Returns whether the traceback entry is in the worker."""
    return trace.tb_frame.f_code.co_filename.startswith(OWN_FOLDER)


def shorten(text, limit):
    """Cuts from the middle: the start of a traceback shows the call, its end shows the error."""
    if len(text) <= limit:
        return text
    cut = '\n  ... %d characters ...\n' % (len(text) - limit)
    return text[: limit // 4] + cut + text[len(text) - limit + limit // 4 :]


def to_text(text):
    """Returns text as Unicode; in Python 2.7 it may be bytes."""
    return text if isinstance(text, text_type) else text.decode('utf-8', 'replace')
