"""What a handler returns, as frames (PROTOCOL.md, chapter 4)."""

import json
import sys

from .errors import CallError

WHOLE = 256 * 1024  # bytes: more than that goes in pieces (PROTOCOL 5.2)
PIECE = 64 * 1024  # bytes

TEXT = b'Content-Type: text/html; charset=UTF-8\r\n'
BYTES = b'Content-Type: text/html\r\n'
JSON = b'Content-Type: application/json\r\n'

to_json = json.JSONEncoder(allow_nan=False).encode  # NaN is no JSON: nobody could read the answer


class ResultInvalid(CallError):
    code = 'RESULT_INVALID'


class Stream:
    """An answer that goes in pieces; `head` is None where the first piece decides it."""

    def __init__(self, pieces, head, status, at_hand=False):
        self.pieces, self.head, self.status = pieces, head, status
        self.at_hand = at_hand  # nobody has to wait for a piece

    def opening(self, call, first):
        head = self.head
        if head is None:
            head = TEXT if isinstance(first, str) else BYTES
        return b'{"type":"head","id":%d,"status":%d,"head":%d}\n%b' % (call, self.status, len(head), head)


def answer(call, value):
    """The frame of a plain result; a Stream, or an awaitable, where there is more to do."""
    if type(value) is str:
        head, body = TEXT, utf8(value)
    elif hasattr(value, '__await__'):
        return value
    elif is_response(value):
        return respond(call, value)
    else:
        head, body = content(value)
    if type(body) is bytes and len(body) <= WHOLE:
        return b'{"type":"result","id":%d,"head":%d,"body":%d}\n%b%b' % (call, len(head), len(body), head, body)
    return streamed(body, head)


def content(value):
    """-> head and body of a value without status or headers of its own; the body may be a stream of pieces."""
    if isinstance(value, dict):
        return JSON, json_of(value)
    if value is None:
        return TEXT, b''
    if isinstance(value, str):
        return TEXT, utf8(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return BYTES, bytes(value)
    if isinstance(value, (list, tuple)):
        if all(isinstance(item, (str, bytes)) for item in value):
            return TEXT, b''.join(map(piece, value))
        return JSON, json_of(value)
    if isinstance(value, (int, float)):
        return JSON, json_of(value)
    if hasattr(value, 'read'):
        return None, FilePieces(value)
    if hasattr(value, '__next__') or hasattr(value, '__anext__'):
        return None, value
    if hasattr(value, '__aiter__'):
        return None, value.__aiter__()
    raise ResultInvalid(
        'the handler returned %s, which cannot be sent: return str, bytes, dict, list, a number, None, '
        'a bottle.HTTPResponse, an open file, or an iterator of str or bytes' % name_of(value)
    )


def streamed(body, head, status=200):
    if type(body) is not bytes:
        return Stream(body, head, status)
    head += b'Content-Length: %d\r\n' % len(body)
    return Stream(iter([body]), head, status, at_hand=True)


class FilePieces:
    """An open file, read as it comes; read1 does not wait until a pipe has filled the piece."""

    def __init__(self, file):
        self.read = getattr(file, 'read1', file.read)
        self.close = getattr(file, 'close', None)

    def __iter__(self):
        return self

    def __next__(self):
        data = self.read(PIECE)
        if not data:
            raise StopIteration
        return data


def is_response(value):
    """Whether it is a bottle response, returned or raised; bottle is there only if the function has imported it."""
    bottle = sys.modules.get('bottle')
    return bottle is not None and isinstance(value, getattr(bottle, 'BaseResponse', ()))


def respond(call, response):
    status, own = response.status_code, response.headers
    if not 200 <= status <= 999:
        raise ResultInvalid('the handler returned a response with status %s: use 200 to 999' % status)
    body = response.body
    if isinstance(body, str):
        kind, body = TEXT, in_charset(body, response.charset)
    else:
        kind, body = content(body)
    head = b''
    for name, value in response.headerlist:
        known = name.lower()
        if known == 'content-type' and kind is not None and 'Content-Type' not in own:
            head += kind  # bottle says text/html for whatever it is
        elif known != 'content-length' or type(body) is not bytes:  # bytes are counted
            head += header(name, value)
    if type(body) is not bytes or len(body) > WHOLE:
        return streamed(body, head, status)
    line = b'{"type":"result","id":%d,"status":%d,"head":%d,"body":%d}\n' % (call, status, len(head), len(body))
    return line + head + body


def header(name, value):
    try:
        line = ('%s: %s' % (name, value)).encode('latin-1')
    except UnicodeEncodeError:
        line = ('%s: %s' % (name, value)).encode('utf-8')
    if not name or b'\r' in line or b'\n' in line or b'\0' in line:
        raise ResultInvalid('the handler returned a header that cannot be sent: %.100r' % (name + ': ' + str(value)))
    return line + b'\r\n'


def piece(item):
    """One item of an iterator, as bytes."""
    if isinstance(item, str):
        return utf8(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    raise ResultInvalid('the handler streamed %s: an iterator may give str and bytes only' % name_of(item))


def parts(data):
    """None of nothing: an empty chunk says nothing."""
    if 0 < len(data) <= PIECE:
        return (data,)
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def close(pieces):
    """Whether the iterator ran to its end or not; what a function does wrong in here has no call to go to."""
    try:
        getattr(pieces, 'close', bool)()
    except BaseException:
        pass


def utf8(text):
    return in_charset(text, 'utf-8')


def in_charset(text, charset):
    try:
        return text.encode(charset)
    except (UnicodeEncodeError, LookupError) as error:
        raise ResultInvalid('the handler returned text that has no %s form: %s' % (charset.upper(), error))


def json_of(value):
    try:
        return to_json(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultInvalid('the handler returned %s that has no JSON form: %s' % (name_of(value), error))


def name_of(value):
    """`a set`, `an Order`"""
    name = type(value).__qualname__
    return ('an ' if name[:1].lower() in 'aeiou' else 'a ') + name


def chunk(call, data):
    return b'{"type":"chunk","id":%d,"body":%d}\n%b' % (call, len(data), data)


def end(call):
    return b'{"type":"end","id":%d}\n' % call
