"""The Python worker: loads one function and runs its calls (runtimes/PROTOCOL.md). Python before
3.6 runs the worker in older/.

runtimes/ANATOMY.md lists the parts, which are the modules of `_kubeless`.
"""

import os
import sys

# The worker's own imports must not find modules that the function brings under names of the
# standard library.
own = os.path.dirname(os.path.realpath(__file__))
if sys.version_info < (3, 6):
    os.execv(sys.executable, [sys.executable, os.path.join(own, 'older', 'worker.py')])
given = [path for path in sys.path if path != own]
added = [os.path.abspath(path) for path in os.environ.get('PYTHONPATH', '').split(os.pathsep) if path]
sys.path[:] = [own] + [path for path in given if path not in added]

import faulthandler
import signal
from _thread import allocate_lock

from _kubeless import ending, forks, handler, output
from _kubeless.bottle_globals import bind_globals
from _kubeless.errors import LoadError, guard
from _kubeless.event_loops import give_loops
from _kubeless.green import GreenThreads, is_patched
from _kubeless.late import when_imported
from _kubeless.paths import add_paths, import_own
from _kubeless.runners import Runners
from _kubeless.wire import encode_line, take_wire

sys.path[:] = given
sys.dont_write_bytecode = True  # the folder belongs to the function's author, and .pyc files miss quick edits
del __file__  # multiprocessing would run this file in each process that the function starts


def main():
    wire = take_wire()
    ending.register(wire)
    forks.guard(wire)
    output.redirect(wire)
    faulthandler.enable(2, all_threads=False)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the whole process group; the loader sends `stop`
    sys.setswitchinterval(0.001)  # seconds; a call waits so long behind one that uses the CPU (default: 5 ms)
    when_imported('bottle', bind_globals)
    when_imported('asyncio', give_loops)

    try:
        function, name = load()
    except LoadError as failure:
        wire.send(encode_line(failure.fields))
        return ending.leave(1)
    context = {
        'function-name': name,
        'timeout': float(os.environ.get('FUNC_TIMEOUT') or 180),
        'runtime': os.environ.get('FUNC_RUNTIME'),
        'memory-limit': os.environ.get('FUNC_MEMORY_LIMIT'),
    }

    if handler.is_async(function):
        concurrency = number('FUNC_CONCURRENCY') or 100
        calls = import_own('_kubeless.tasks').Tasks(wire, function, context)
    else:
        concurrency = number('FUNC_CONCURRENCY') or number('CHERRYPY_NUMTHREADS') or 40
        if is_patched(allocate_lock):
            calls = GreenThreads(wire, function, context)
        else:
            calls = Runners(wire, function, context, concurrency)
    wire.send(encode_line({'type': 'ready', 'wire': 1, 'handler': name, 'concurrency': concurrency, 'envelopes': True}))
    guard(calls.serve)
    ending.raise_sigterm()
    ending.leave(0)


def load():
    file = os.environ.get('KUBELESS_HANDLER_FILE', '')
    prefixes = [os.environ.get('KUBELESS_INSTALL_VOLUME'), os.environ.get('RUNTIME_LIBRARIES')]
    add_paths(os.path.dirname(file), [prefix for prefix in prefixes if prefix])
    found = handler.load(file, os.environ.get('FUNC_HANDLER'))
    if 'asyncio' in sys.modules:
        give_loops(sys.modules['asyncio'])  # again: the function may have set a policy of its own (uvloop)
    return found


def number(name):
    text = os.environ.get(name, '').strip()
    return int(text) if text.isdigit() else 0


main()
