"""The worker for Python 2.7, 3.4 and 3.5 (runtimes/PROTOCOL.md). Later versions run ../worker.py.

Runs plain handlers on threads. Handlers of the form `async def` need Python 3.6. The parts have
the names of runtimes/ANATOMY.md, and are the modules of `_kubeless`. Without runners: on these
versions a thread per call is fast enough, so there is no hand-over and no monitor.
"""

import os
import sys

# The worker's own imports must not find modules that the function brings under names of the
# standard library.
own = os.path.dirname(os.path.realpath(__file__))
given = [path for path in sys.path if path != own]
added = [os.path.abspath(path) for path in os.environ.get('PYTHONPATH', '').split(os.pathsep) if path]
sys.path[:] = [own] + [path for path in given if path not in added]

import signal

from _kubeless import ending, forks, handler, output, paths
from _kubeless.calls import Calls
from _kubeless.errors import LoadError
from _kubeless.wire import encode_line, take_wire

sys.path[:] = given
sys.dont_write_bytecode = True  # the folder belongs to the function's author, and .pyc files miss quick edits
del __file__  # multiprocessing would run this file in each process that the function starts


def main():
    wire = take_wire()
    forks.guard(wire)
    output.redirect(wire)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the whole process group; the loader sends `stop`
    signal.siginterrupt(signal.SIGINT, False)  # Python before 3.5 would raise EINTR in the function
    file = os.environ.get('KUBELESS_HANDLER_FILE', '')
    prefixes = [os.environ.get('KUBELESS_INSTALL_VOLUME'), os.environ.get('RUNTIME_LIBRARIES')]
    paths.add_paths(os.path.dirname(file), [prefix for prefix in prefixes if prefix])
    try:
        function, name = handler.load(file, os.environ.get('FUNC_HANDLER'))
    except LoadError as failure:
        wire.send(encode_line(failure.fields))
        return ending.leave(wire, 1)
    context = {
        'function-name': name,
        'timeout': float(os.environ.get('FUNC_TIMEOUT') or 180),
        'runtime': os.environ.get('FUNC_RUNTIME'),
        'memory-limit': os.environ.get('FUNC_MEMORY_LIMIT'),
    }
    concurrency = number('FUNC_CONCURRENCY') or number('CHERRYPY_NUMTHREADS') or 40
    wire.send(encode_line({'type': 'ready', 'wire': 1, 'handler': name, 'concurrency': concurrency, 'envelopes': True}))
    Calls(wire, function, context, concurrency).serve()
    ending.run_sigterm_handler()
    ending.leave(wire, 0)


def number(name):
    text = os.environ.get(name, '').strip()
    return int(text) if text.isdigit() else 0


main()
