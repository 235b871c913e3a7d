"""Makes the bottle request of a call, which Kubeless's Python functions know."""

import os
import sys
from io import BytesIO

from .paths import add_prefix, import_own

DEFAULT_MEMFILE_BYTES = 100 * 1024 * 1024
WAIT_SECONDS = 0.05
COUNTED_OR_TYPED = ('CONTENT_TYPE', 'CONTENT_LENGTH')  # without HTTP_ in a WSGI environ


def request_of(fields, head, body):
    """Returns a bottle.BaseRequest. Raises RuntimeError if bottle cannot be imported."""
    try:
        bottle = import_bottle()
    except ImportError as error:
        raise RuntimeError(
            "event['extensions']['request'] needs the package bottle, which cannot be imported (%s): "
            'add bottle to requirements.txt' % error
        ) from None
    limit = int(os.environ.get('FUNC_MEMFILE_MAX') or DEFAULT_MEMFILE_BYTES)
    if limit != bottle.BaseRequest.MEMFILE_MAX:
        bottle.BaseRequest.MEMFILE_MAX = limit
    return bottle.BaseRequest(environ_of(fields, head, body))


def import_bottle():
    try:
        return import_own('bottle')
    except ImportError:
        libraries = os.environ.get('RUNTIME_LIBRARIES')
        if not libraries:
            raise
        wait_for(libraries)
        add_prefix(libraries)
        return import_own('bottle')


def wait_for(libraries):
    """Returns when the folder exists, or nothing is being installed.

    A local start does not wait for the installation. The folder appears when it is complete.
    """
    glob = import_own('glob')
    while not os.path.exists(libraries) and glob.glob(glob.escape(libraries) + '.*'):
        import_own('time').sleep(WAIT_SECONDS)


def environ_of(fields, head, body):
    """Returns the WSGI environ (PEP 3333). Its text is ISO-8859-1, as WSGI has it."""
    unquote_to_bytes = import_own('urllib.parse').unquote_to_bytes
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
