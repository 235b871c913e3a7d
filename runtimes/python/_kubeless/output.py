"""What a function prints, as `log` frames that name the call (PROTOCOL.md, chapter 7)."""

import io
import os
import sys
from threading import RLock, get_ident, local

try:
    from contextvars import ContextVar, copy_context
except ImportError:  # Python 3.6: what a coroutine prints has no call's id there
    copy_context = None

    class ContextVar:
        def __init__(self, name, default):
            self.default = default

        def get(self):
            return self.default

        def set(self, value):
            pass


LINE_MAX = 1 << 20  # characters; what has no line break by then goes as it is

here = local()  # .runner: the thread's Runner, where it has one
call_of_task = ContextVar('call_of_task', default=[0])  # a list, so that what runs on after the call sees its end

outputs = []  # ours, also while a function has put something else in the place of sys.stdout
partial = {}  # (call or thread, stream) -> the beginning of a line


def current_call():
    runner = getattr(here, 'runner', None)
    return runner.call if runner is not None else call_of_task.get()[0]


class Output(io.TextIOBase):
    """sys.stdout or sys.stderr; descriptors 1 and 2 stay as they are for C code and child processes."""

    encoding = 'utf-8'
    errors = 'backslashreplace'  # text without a UTF-8 form must not make print() fail
    newlines = None
    line_buffering = True
    write_through = False

    def __init__(self, wire, fd):
        self.wire, self.fd = wire, fd
        self.stream = 'stdout' if fd == 1 else 'stderr'
        self.name = '<%s>' % self.stream
        self.mode = 'w'
        self.lock = RLock()  # a signal handler may print while its thread does
        self.buffer = os.fdopen(fd, 'wb', 0, closefd=False)

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError('write() argument must be str, not %s' % type(text).__name__)
        if self.wire.gone:
            self.buffer.write(text.encode('utf-8', self.errors))
            return len(text)
        call = current_call()
        key = (call or -get_ident(), self.stream)
        with self.lock:
            size = len(text)
            if partial:
                text = partial.pop(key, '') + text
            cut = text.rfind('\n') + 1
            if len(text) - cut > LINE_MAX:
                cut = len(text)
            if cut < len(text):
                partial[key] = text[cut:]
        if cut:  # without the lock: a __del__ that prints may run in whoever has the wire's
            self.emit(call, text[:cut])
        return size

    def emit(self, call, text):
        body = text.encode('utf-8', self.errors)
        mark = b'"id":%d,' % call if call else b''
        frame = b'{"type":"log","stream":"%b",%b"body":%d}\n' % (self.stream.encode(), mark, len(body))
        self.wire.on_print(frame + body)

    def end_line(self, key):
        text = partial.pop((key, self.stream), '')
        if text:
            self.emit(max(key, 0), text + '\n')

    def flush(self):
        """Lines go at once as it is. Half a line waits for its end, or for the call's."""
        if not self.wire.gone and not current_call():
            self.end_line(-get_ident())

    def fileno(self):
        return self.fd

    def isatty(self):
        return os.isatty(self.fd)

    def writable(self):
        return True

    def close(self):
        """A function that closes its stdout must not take away everybody's."""
        self.flush()

    def reconfigure(self, **settings):
        """Always UTF-8, line by line; there is nothing to set."""

    def renew_lock(self):
        self.lock = RLock()


def redirect(wire):
    for stream in sys.stdout, sys.stderr:
        if stream is not None:
            stream.flush()
    outputs[:] = Output(wire, 1), Output(wire, 2)
    sys.stdout, sys.stderr = outputs


def finish_lines(call):
    """The call is over: what it left without a line break is a line too."""
    for output in outputs:
        output.end_line(call)
