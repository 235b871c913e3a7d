"""What went wrong, as `error` and `failed` frames carry it: bounded, and with our own frames cut off."""

import json
import os
import traceback

MESSAGE_MAX = 4096  # characters
STACK_MAX = 16 * 1024  # characters


class CallError(Exception):
    """A call that ends in an error of ours, not of the function's: the code says which, a sentence says why."""

    code = ''


OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Cancelled(CallError):
    code = 'CANCELLED'


def error_frame(call, error):
    fields = {'type': 'error', 'id': call, 'message': message_of(error)}
    if isinstance(error, CallError):
        fields['code'] = error.code
    else:
        fields['stack'] = stack_of(error)
    return line(fields)


def line(fields):
    return json.dumps(fields).encode() + b'\n'


def message_of(error):
    """`ValueError: no such user`"""
    try:
        text = str(error)
    except BaseException as second:  # a function's own __str__ may do anything
        text = '(its text cannot be had: __str__ raised %s)' % type(second).__name__
    if not isinstance(error, CallError):
        name = type(error).__qualname__
        text = '%s: %s' % (name, text) if text else name
    return middle_out(text, MESSAGE_MAX)


def stack_of(error):
    try:
        text = ''.join(traceback.format_exception(type(error), error, users_part(error.__traceback__)))
    except BaseException as second:
        text = '%s\n(no traceback: printing it raised %s)' % (message_of(error), type(second).__name__)
    return middle_out(text, STACK_MAX)


def users_part(trace):
    while trace is not None and is_ours(trace):
        trace = trace.tb_next
    return trace


def is_ours(trace):
    name = trace.tb_frame.f_code.co_filename
    return name.startswith(OURS) or name.startswith('<frozen importlib')


def middle_out(text, limit):
    """The start tells where it came from, the end what it was; what is too much goes from between."""
    if len(text) <= limit:
        return text
    cut = '\n  … %d characters …\n' % (len(text) - limit)
    return text[: limit // 4] + cut + text[len(text) - limit + limit // 4 :]
