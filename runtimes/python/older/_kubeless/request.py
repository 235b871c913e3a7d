"""Makes the bottle request of a call, which Kubeless's Python functions know."""

import os
import sys
from io import BytesIO

try:
    from urllib.parse import unquote_to_bytes
except ImportError:  # Python 2.7, where text is bytes
    from urllib import unquote as unquote_to_bytes

from .errors import PYTHON_2

DEFAULT_MEMFILE_BYTES = 100 * 1024 * 1024
COUNTED_OR_TYPED = ('CONTENT_TYPE', 'CONTENT_LENGTH')  # without HTTP_ in a WSGI environ


def request_of(environ):
    """Returns a bottle.BaseRequest. Raises RuntimeError if bottle cannot be imported."""
    try:
        import bottle
    except ImportError as error:
        raise RuntimeError(
            "event['extensions']['request'] needs the package bottle, which cannot be imported (%s): "
            'add bottle to requirements.txt' % error
        )
    bottle.BaseRequest.MEMFILE_MAX = int(os.environ.get('FUNC_MEMFILE_MAX') or DEFAULT_MEMFILE_BYTES)
    return bottle.BaseRequest(environ)


def environ_of(fields, head, body):
    """Returns the WSGI environ (PEP 3333). Its text is ISO-8859-1, as WSGI has it; in Python 2.7
    it is bytes.
    """
    environ = {
        'REQUEST_METHOD': str(fields['method']),
        'SCRIPT_NAME': '',
        'PATH_INFO': latin(unquote_to_bytes(str(fields['path']))),
        'QUERY_STRING': str(fields.get('query', '')),
        'SERVER_NAME': 'localhost',
        'SERVER_PORT': '80',
        'SERVER_PROTOCOL': 'HTTP/1.1',
        'REMOTE_ADDR': str(fields.get('address', '')),
        'wsgi.version': (1, 0),
        'wsgi.url_scheme': 'http',
        'wsgi.input': BytesIO(body),
        'wsgi.errors': sys.stderr,
        'wsgi.multithread': True,
        'wsgi.multiprocess': False,
        'wsgi.run_once': False,
    }
    for line in latin(head).split('\r\n'):
        name, colon, value = line.partition(':')
        if not colon or '_' in name:  # in the environ X_A would be taken for X-A
            continue
        name = name.upper().replace('-', '_')
        if name not in COUNTED_OR_TYPED:
            name = 'HTTP_' + name
        value = value.strip(' \t')
        if name in environ:
            value = environ[name] + ('; ' if name == 'HTTP_COOKIE' else ', ') + value
        environ[name] = value
    environ.pop('HTTP_TRANSFER_ENCODING', None)  # the loader has decoded it; bottle would decode it again
    environ['CONTENT_LENGTH'] = str(len(body))
    host, colon, port = environ.get('HTTP_HOST', '').rpartition(':')
    if colon and port.isdigit():
        environ['SERVER_NAME'], environ['SERVER_PORT'] = host, port
    return environ


def latin(data):
    return data if PYTHON_2 else data.decode('latin-1')
