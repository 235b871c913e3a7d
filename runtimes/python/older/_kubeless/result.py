"""Turns what a handler returned into frames (PROTOCOL.md, chapter 4)."""

import json
import sys
from numbers import Number

from .errors import PYTHON_2, CallError, text_type
from .wire import encode_frame, encode_line

MAX_RESULT_BYTES = 256 * 1024  # a larger body is sent in chunks (PROTOCOL 5.2)
CHUNK_BYTES = 64 * 1024
MAX_HEAD_BYTES = (1 << 20) - 64  # PROTOCOL 2.3; the rest is for a Content-Length line

TEXT = b'Content-Type: text/html; charset=UTF-8\r\n'
BYTES = TEXT if PYTHON_2 else b'Content-Type: text/html\r\n'  # the text of Python 2.7 is bytes
BINARY = b'Content-Type: text/html\r\n'
JSON = b'Content-Type: application/json\r\n'


class ResultInvalid(CallError):
    code = 'RESULT_INVALID'


class Stream(object):
    """An answer that is sent in chunks."""

    def __init__(self, pieces, head, status):
        self.pieces, self.head, self.status = pieces, head, status

    def opening(self, call):
        return encode_frame({'type': 'head', 'id': call, 'status': self.status}, self.head)


def result_of(call, value, bound):
    """Returns the frame that ends the call, or a Stream.

    `bound` is the call's bottle.response, None if the function does not use bottle.
    Raises ResultInvalid if the value cannot be sent.
    """
    response = bound
    if is_response(value):
        response, value = value, value.body
    kind, body = content(value, 'utf-8' if response is None else response.charset)
    status, head = 200, kind
    if response is not None:
        status, head = status_of(response), head_of(response, kind, isinstance(body, bytes))
    if not isinstance(body, bytes):
        return Stream(body, head, status)
    if len(body) > MAX_RESULT_BYTES:
        return Stream(iter([body]), head + ('Content-Length: %d\r\n' % len(body)).encode('ascii'), status)
    return encode_frame({'type': 'result', 'id': call, 'status': status}, head, body)


def content(value, charset):
    """Returns the content type line and the body of a value: bytes or an iterator."""
    if isinstance(value, text_type):
        return TEXT, to_bytes(value, charset)
    if isinstance(value, bytes):
        return BYTES, value
    if isinstance(value, (bytearray, memoryview)):
        return BINARY, to_bytes(value)
    if isinstance(value, dict):
        return JSON, json_of(value)
    if value is None:
        return TEXT, b''
    if isinstance(value, (list, tuple)):
        if all(isinstance(item, (text_type, bytes)) for item in value):
            return TEXT, b''.join(map(piece, value))
        return JSON, json_of(value)
    if isinstance(value, Number):
        return JSON, json_of(value)
    if hasattr(value, 'read'):
        return BYTES, FilePieces(value)
    if hasattr(value, '__next__') or hasattr(value, 'next'):
        return TEXT, value
    raise ResultInvalid(
        'the handler returned %s, which cannot be sent: return str, bytes, dict, list, a number, None, '
        'a bottle.HTTPResponse, an open file, or an iterator of str or bytes' % name_of(value)
    )


class FilePieces(object):
    """Reads an open file in chunks."""

    def __init__(self, file):
        self.read = getattr(file, 'read1', file.read)
        self.close = getattr(file, 'close', None)

    def __iter__(self):
        return iter(lambda: self.read(CHUNK_BYTES) or None, None)


def is_response(value):
    """Returns whether the value is a bottle response."""
    bottle = sys.modules.get('bottle')
    return bottle is not None and isinstance(value, getattr(bottle, 'BaseResponse', ()))


def status_of(response):
    status = response.status_code
    if not 200 <= status <= 999:
        raise ResultInvalid('the handler returned a response with status %s: use 200 to 999' % status)
    return status


def head_of(response, kind, counted):
    """Returns the header lines.

    `kind` replaces bottle's default content type; `counted`: the loader knows the length.
    """
    own, head = response.headers, b''
    for name, value in response.headerlist:
        known = name.lower()
        if known == 'content-type' and 'Content-Type' not in own:
            head += kind
        elif known != 'content-length' or not counted:
            head += header(name, value)
    if len(head) > MAX_HEAD_BYTES:
        raise ResultInvalid('the handler returned %d bytes of headers: the limit is %d' % (len(head), MAX_HEAD_BYTES))
    return head


def header(name, value):
    line = '%s: %s' % (name, value)
    if not isinstance(line, bytes):
        try:
            line = line.encode('latin-1')
        except UnicodeEncodeError:
            line = line.encode('utf-8')
    if not name or b'\r' in line or b'\n' in line or b'\0' in line:
        raise ResultInvalid('the handler returned a header that cannot be sent: %.100r' % line)
    return line + b'\r\n'


def piece(item):
    """Returns one item of an iterator as bytes."""
    if isinstance(item, (text_type, bytes, bytearray, memoryview)):
        return to_bytes(item)
    raise ResultInvalid('the handler streamed %s: an iterator may give str and bytes only' % name_of(item))


def parts(data):
    """Returns the chunks of a piece; an empty piece has none."""
    return (data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES))


def close(pieces):
    """Closes an iterator, at its end or before.

    An error in its cleanup is lost: its call has been answered.
    """
    try:
        getattr(pieces, 'close', bool)()
    except:
        pass


def to_bytes(value, charset='utf-8'):
    if isinstance(value, memoryview):
        return value.tobytes()
    if not isinstance(value, text_type):
        return bytes(value)
    try:
        return value.encode(charset)
    except (UnicodeEncodeError, LookupError) as error:
        raise ResultInvalid('the handler returned text that has no %s form: %s' % (charset.upper(), error))


def json_of(value):
    try:
        return json.dumps(value, allow_nan=False).encode('ascii')
    except (TypeError, ValueError, RuntimeError) as error:
        raise ResultInvalid('the handler returned %s that has no JSON form: %s' % (name_of(value), error))


def name_of(value):
    """Returns the type with its article, such as `a set` or `an Order`."""
    name = type(value).__name__
    return ('an ' if name[:1].lower() in 'aeiou' else 'a ') + name


def chunk(call, data):
    return encode_frame({'type': 'chunk', 'id': call}, b'', data)


def end(call):
    return encode_line({'type': 'end', 'id': call})
