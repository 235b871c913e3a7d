"""The Python worker: holds one function and calls it, as PROTOCOL.md says. Runs on Python 3.6 and later."""

import os
import sys

# What the function brings along under a name of the standard library must not become ours.
own = os.path.dirname(os.path.realpath(__file__))
given = [path for path in sys.path if path != own]
theirs = [os.path.abspath(path) for path in os.environ.get('PYTHONPATH', '').split(os.pathsep) if path]
sys.path[:] = [own] + [path for path in given if path not in theirs]

import atexit
import faulthandler
import signal
from threading import Timer

from _kubeless import forks, handler, output
from _kubeless.errors import line
from _kubeless.threads import Threads
from _kubeless.wire import take_wire

sys.path[:] = given
sys.dont_write_bytecode = True  # the cache misses edits made within a second, and the function's folder is its author's
del __file__  # multiprocessing would run it again in each of the function's processes

ending = {'code': 1}


def main():
    # 1 · take the wire, 2 · send
    wire = take_wire()
    atexit.register(end, wire)  # the last to run, as the first to register
    forks.guard(wire)
    output.redirect(wire)
    faulthandler.enable(2, all_threads=False)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the whole group; when to stop is the loader's to say
    sys.setswitchinterval(0.001)  # seconds; Python's own 5 ms is what a call would wait behind a busy one

    # 3 · encode: results.py. 4 · load the handler
    try:
        function, name = load()
    except handler.LoadFailure as failure:
        wire.send(line(failure.fields))
        return leave(1)
    context = {
        'function-name': name,
        'timeout': float(os.environ.get('FUNC_TIMEOUT') or 180),
        'runtime': os.environ.get('FUNC_RUNTIME'),
        'memory-limit': os.environ.get('FUNC_MEMORY_LIMIT'),
    }

    # 5 · ready, 6 · the loop
    if handler.is_async(function):
        from _kubeless.coroutines import Loop

        concurrency = number('FUNC_CONCURRENCY') or 100
        loop = Loop(wire, function, context)
    else:
        concurrency = number('FUNC_CONCURRENCY') or number('CHERRYPY_NUMTHREADS') or 40
        loop = Threads(wire, function, context, concurrency)
    wire.send(line({'type': 'ready', 'wire': 1, 'handler': name, 'concurrency': concurrency}))
    loop.serve()
    leave(0)


def load():
    file = os.environ.get('KUBELESS_HANDLER_FILE', '')
    prefixes = [os.environ.get('KUBELESS_INSTALL_VOLUME'), os.environ.get('RUNTIME_LIBRARIES')]
    handler.add_paths(os.path.dirname(file), [prefix for prefix in prefixes if prefix])
    return handler.load(file, os.environ.get('FUNC_HANDLER'))


def number(name):
    text = os.environ.get(name, '').strip()
    return int(text) if text.isdigit() else 0


def leave(code):
    """Ends as any Python program does, but waits a second at most for threads that the function has left running."""
    ending['code'] = code
    patience = Timer(1, atexit._run_exitfuncs)
    patience.daemon = True
    patience.start()
    atexit.register(patience.cancel)  # the first to run: there the threads are over, and the rest may take its time


def end(wire):
    """Not by the interpreter's own last steps: they can trip over threads that still stand somewhere in C code."""
    try:
        for stream in output.outputs + [sys.__stdout__, sys.__stderr__]:
            if stream is not None:
                stream.flush()
        wire.flush()
    finally:
        os._exit(ending['code'])


main()
