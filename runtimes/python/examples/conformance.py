# coding: utf-8
"""The handlers that the conformance vectors call. docs/conformance.md describes each.

Also for Python 2.7, where str is bytes.
"""

from __future__ import print_function

import itertools
import os
import signal
import subprocess
import sys
import time

TEXT = 'čšž ελ 日本 🎉'

numbers = itertools.count(1)
print('conformance loaded')


def echoes(event, context):
    return event['data']


def types(event, context):
    data = event['data']
    return {
        'id': event['event-id'],
        'type': event['event-type'],
        'time': event['event-time'],
        'namespace': event['event-namespace'],
        'data': data.decode('utf-8') if isinstance(data, type(b'')) else data,
        'source': event['extensions'].get('source'),
    }


def context(event, context):
    return context


def raises(event, context):
    if sys.version_info < (3,):
        raise ValueError(event['data'])
    # Bytes that are not UTF-8 become lone surrogates, as in file names and the environment.
    raise ValueError(event['data'].decode(errors='surrogateescape'))


def exits(event, context):
    sys.exit(3)


def dies(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def recurses(event, context):
    return recurses(event, context)


def prints(event, context):
    text = event['data'].decode('utf-8')
    print(text)
    print(text, file=sys.stderr)
    return 'printed'


def unicode(event, context):
    print(TEXT)
    if event['data'] == b'raise':
        raise ValueError(TEXT)
    return TEXT


def sleeps(event, context):
    time.sleep(int(event['data']) / 1000.0)
    return 'slept'


def bytes(event, context):
    return bytearray(range(256))


def big(event, context):
    return b'0123456789' * (int(event['data']) // 10)


def streams(event, context):
    words = event['data'].decode('utf-8').split()
    n, m, ms = words[:3]
    for i in range(int(n)):
        if i > 0:
            time.sleep(int(ms) / 1000.0)
        yield str(i % 10) * int(m)
    if words[3:] == ['raise']:
        raise ValueError('broken off')


def headers(event, context):
    from bottle import HTTPResponse

    response = HTTPResponse('made', 201, {'Content-Type': 'text/plain', 'X-Name': 'Ada'})
    response.add_header('Set-Cookie', 'a=1')
    response.add_header('Set-Cookie', 'b=2')
    return response


def request(event, context):
    request = event['extensions']['request']
    return {
        'method': request.method,
        'path': request.path,
        'query': request.query.get('x'),
        'header': request.get_header('X-Name'),
    }


def nonsense(event, context):
    return object()


def spawns(event, context):
    if event['data'] != b'fork':
        # With close_fds the child could not inherit the wire, even if the worker let it.
        return str(subprocess.Popen(['sleep', '30'], close_fds=False).pid)
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    return str(child)


def stdin(event, context):
    return sys.stdin.read()


def counts(event, context):
    return str(next(numbers))
