"""Turns what a handler returned into frames (PROTOCOL.md, chapter 4)."""

import json
import sys

from .errors import CallError

MAX_RESULT_BYTES = 256 * 1024  # a larger body is sent in chunks (PROTOCOL 5.2)
CHUNK_BYTES = 64 * 1024
MAX_HEAD_BYTES = (1 << 20) - 64  # PROTOCOL 2.3; the rest is for a Content-Length line

TEXT = b'Content-Type: text/html; charset=UTF-8\r\n'
BYTES = b'Content-Type: text/html\r\n'
JSON = b'Content-Type: application/json\r\n'

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from typing import Iterable

    from .messages import Answer

encode_json = json.JSONEncoder(allow_nan=False).encode  # NaN and Infinity are not JSON


class ResultInvalid(CallError):
    code = 'RESULT_INVALID'


class Stream:
    """An answer that is sent in chunks.

    `head` is None if the first piece decides the content type.
    """

    def __init__(self, pieces, head, status, ready=False):
        self.pieces, self.head, self.status = pieces, head, status
        self.ready = ready  # no piece blocks

    def opening(self, call, first, bound):
        """Returns the `head` frame. `bound` is the call's bottle.response, or None."""
        head, status = self.head, self.status
        if head is None:
            head = TEXT if isinstance(first, str) else BYTES
            if bound is not None:  # a generator sets it before its first yield
                head, status = head_of(bound, head, False), status_of(bound)
        return b'{"type":"head","id":%d,"status":%d,"head":%d}\n%b' % (call, status, len(head), head)


def result_of(call: int, value, bound=None) -> 'Answer':
    """Returns the frame that ends the call, or a Stream, or `value` itself if it has to be awaited.

    `bound` is the call's bottle.response, None if the function has not touched it.
    Raises ResultInvalid if the value cannot be sent.
    """
    if type(value) is str and bound is None:
        return result_frame(call, 200, TEXT, to_bytes(value))
    if hasattr(value, '__await__'):
        return value
    response = bound
    if is_response(value):
        response, value = value, value.body
    if response is None:
        head, body = content(value)
        return result_frame(call, 200, head, body)
    kind, body = content(value, response.charset)
    if kind is None and response is bound:
        return Stream(body, None, 200)
    return result_frame(call, status_of(response), head_of(response, kind, type(body) is bytes), body)


def result_frame(call: int, status: int, head, body) -> 'bytes | Stream':
    """Returns a `result` frame, or a Stream if the body is large or made piece by piece."""
    if type(body) is not bytes:
        return Stream(body, head, status)
    if len(body) > MAX_RESULT_BYTES:
        return Stream(iter([body]), head + b'Content-Length: %d\r\n' % len(body), status, ready=True)
    if status == 200:
        return b'{"type":"result","id":%d,"head":%d,"body":%d}\n%b%b' % (call, len(head), len(body), head, body)
    line = b'{"type":"result","id":%d,"status":%d,"head":%d,"body":%d}\n' % (call, status, len(head), len(body))
    return line + head + body


def content(value, charset='utf-8'):
    """Returns the content type line and the body of a value.

    For an iterator these are None and the iterator.
    """
    if isinstance(value, str):
        return TEXT, to_bytes(value, charset)
    if isinstance(value, dict):
        return JSON, json_of(value)
    if value is None:
        return TEXT, b''
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


class FilePieces:
    """Reads an open file as data arrives: read1 does not wait until a pipe has filled a whole
    chunk.
    """

    def __init__(self, file):
        self.read = getattr(file, 'read1', file.read)
        self.close = getattr(file, 'close', None)

    def __iter__(self):
        return self

    def __next__(self):
        data = self.read(CHUNK_BYTES)
        if not data:
            raise StopIteration
        return data


def is_response(value):
    """Returns whether the value is a bottle response. bottle is loaded only if the function uses
    it.
    """
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
        if known == 'content-type' and kind is not None and 'Content-Type' not in own:
            head += kind
        elif known != 'content-length' or not counted:
            head += header(name, value)
    if len(head) > MAX_HEAD_BYTES:
        raise ResultInvalid('the handler returned %d bytes of headers: the limit is %d' % (len(head), MAX_HEAD_BYTES))
    return head


def header(name, value):
    try:
        line = ('%s: %s' % (name, value)).encode('latin-1')
    except UnicodeEncodeError:
        line = ('%s: %s' % (name, value)).encode('utf-8')
    if not name or b'\r' in line or b'\n' in line or b'\0' in line:
        raise ResultInvalid('the handler returned a header that cannot be sent: %.100r' % (name + ': ' + str(value)))
    return line + b'\r\n'


def piece(item: object) -> bytes:
    """Returns one item of an iterator as bytes."""
    if isinstance(item, str):
        return to_bytes(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    raise ResultInvalid('the handler streamed %s: an iterator may give str and bytes only' % name_of(item))


def parts(data: bytes) -> 'Iterable[bytes]':
    """Returns the chunks of a piece; an empty piece has none."""
    if 0 < len(data) <= CHUNK_BYTES:
        return (data,)
    return (data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES))


def close(pieces):
    """Closes an iterator, at its end or before.

    An error in its cleanup is lost: its call has been answered.
    """
    try:
        getattr(pieces, 'close', bool)()
    except BaseException:
        pass


def to_bytes(text: str, charset: str = 'utf-8') -> bytes:
    try:
        return text.encode(charset)
    except (UnicodeEncodeError, LookupError) as error:
        raise ResultInvalid('the handler returned text that has no %s form: %s' % (charset.upper(), error)) from None


def json_of(value: object) -> bytes:
    try:
        return encode_json(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultInvalid('the handler returned %s that has no JSON form: %s' % (name_of(value), error)) from None


def name_of(value):
    """Returns the type with its article, such as `a set` or `an Order`."""
    name = type(value).__qualname__
    return ('an ' if name[:1].lower() in 'aeiou' else 'a ') + name


def chunk(call: int, data: bytes) -> bytes:
    return b'{"type":"chunk","id":%d,"body":%d}\n%b' % (call, len(data), data)


def end(call: int) -> bytes:
    return b'{"type":"end","id":%d}\n' % call
