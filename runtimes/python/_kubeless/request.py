"""A call's frame as the event a handler sees."""

import json
import os
import sys
from io import BytesIO

from .errors import CallError


class BodyMalformed(CallError):
    code = 'BODY_MALFORMED'


def event_of(fields, head, body):
    get = fields.get
    extensions = Extensions()
    extensions.source = (fields, head, body)
    if 'extensions' in fields:
        extensions.update(fields['extensions'])
        extensions.pop('request', None)
    return {
        'data': parse(body) if get('json') else body,
        'event-id': get('event-id'),
        'event-type': get('event-type'),
        'event-time': get('event-time'),
        'event-namespace': get('event-namespace'),
        'extensions': extensions,
    }


def no_constant(name):
    raise ValueError('%s is not JSON' % name)


decode = json.JSONDecoder(parse_constant=no_constant).decode


def parse(body):
    if not body:
        return None  # cron jobs say JSON and send nothing
    try:
        return decode(str(body[3:] if body.startswith(b'\xef\xbb\xbf') else body, 'utf-8'))
    except (ValueError, RecursionError) as error:
        raise BodyMalformed('the body is not JSON: %s' % error)


class Extensions(dict):
    """event['extensions']: the request in it is made when somebody asks for it."""

    __slots__ = ('source',)

    def __missing__(self, key):
        if key != 'request':
            raise KeyError(key)
        self[key] = made = request_of(*self.source)
        return made

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key):
        return key == 'request' or dict.__contains__(self, key)

    def whole(self):
        self['request']
        return super()

    def __iter__(self):
        return self.whole().__iter__()

    def __len__(self):
        return dict.__len__(self) + (not dict.__contains__(self, 'request'))

    def keys(self):
        return self.whole().keys()

    def items(self):
        return self.whole().items()

    def values(self):
        return self.whole().values()

    def copy(self):
        return dict(self.whole().items())

    def __repr__(self):
        try:
            return repr(self.copy())
        except RuntimeError:  # no bottle; print(event) is there to find out about such things
            return dict.__repr__(self)


def request_of(fields, head, body):
    """A bottle request, which is what functions have known since Kubeless."""
    try:
        import bottle
    except ImportError as error:
        raise RuntimeError(
            "event['extensions']['request'] is a bottle request, and bottle cannot be imported (%s): "
            'add bottle to requirements.txt' % error
        ) from None
    request = bottle.BaseRequest(environ_of(fields, head, body))
    limit = int(os.environ.get('FUNC_MEMFILE_MAX') or 100 * 1024 * 1024)
    if bottle.BaseRequest.MEMFILE_MAX != limit:
        bottle.BaseRequest.MEMFILE_MAX = limit
    return request


def environ_of(fields, head, body):
    """The WSGI environ (PEP 3333) of a call; text in it is latin-1, as there."""
    from urllib.parse import unquote_to_bytes  # only those who ask for a request wait for this import

    environ = {
        'REQUEST_METHOD': fields['method'],
        'SCRIPT_NAME': '',
        'PATH_INFO': unquote_to_bytes(fields['path']).decode('latin-1'),
        'QUERY_STRING': fields.get('query', ''),
        'SERVER_NAME': 'localhost',
        'SERVER_PORT': '80',
        'SERVER_PROTOCOL': 'HTTP/1.1',
        'REMOTE_ADDR': fields.get('address', ''),
        'wsgi.version': (1, 0),
        'wsgi.url_scheme': 'http',
        'wsgi.input': BytesIO(body),
        'wsgi.errors': sys.stderr,
        'wsgi.multithread': True,
        'wsgi.multiprocess': False,
        'wsgi.run_once': False,
    }
    for line in head.decode('latin-1').split('\r\n'):
        name, colon, value = line.partition(':')
        if not colon or '_' in name:  # X_A would pass for X-A
            continue
        name = name.upper().replace('-', '_')
        if name not in ('CONTENT_TYPE', 'CONTENT_LENGTH'):
            name = 'HTTP_' + name
        value = value.strip(' \t')
        if name in environ:
            value = environ[name] + ('; ' if name == 'HTTP_COOKIE' else ', ') + value
        environ[name] = value
    environ.pop('HTTP_TRANSFER_ENCODING', None)  # the loader has undone it; bottle would do it again
    environ['CONTENT_LENGTH'] = str(len(body))
    host, colon, port = environ.get('HTTP_HOST', '').rpartition(':')
    if colon and port.isdigit():
        environ['SERVER_NAME'], environ['SERVER_PORT'] = host, port
    return environ
