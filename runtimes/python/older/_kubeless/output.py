"""Sends what a function prints as `log` frames with the id of its call (PROTOCOL.md, chapter 7)."""

import io
import os
import sys
import threading

from .errors import PYTHON_2, text_type
from .wire import encode_frame

MAX_LINE_BYTES = 1 << 20  # a longer line is sent in pieces

here = threading.local()  # .call: the id of the call that runs on this thread, else 0
outputs = []  # the worker's streams, also while a function has replaced sys.stdout
partial = {}  # (call or thread, stream) -> the beginning of a line


class Output(io.TextIOBase):
    """Replaces sys.stdout or sys.stderr.

    Descriptors 1 and 2 stay as they are for C code and child processes.
    """

    encoding = 'utf-8'
    errors = 'backslashreplace'  # print() must not fail for text without a UTF-8 form
    softspace = 0  # the print statement of Python 2.7 writes it

    def __init__(self, wire, fd):
        self.wire, self.fd = wire, fd
        self.stream = 'stdout' if fd == 1 else 'stderr'
        self.name = '<%s>' % self.stream
        self.lock = threading.RLock()  # a signal handler may print while its thread does
        self.buffer = io.open(fd, 'wb', 0, closefd=False)

    def write(self, text):
        if isinstance(text, text_type):
            data = text.encode('utf-8', self.errors)
        elif PYTHON_2:
            data = bytes(text).decode('utf-8', 'replace').encode('utf-8')
        else:
            raise TypeError('write() argument must be str, not %s' % type(text).__name__)
        if self.wire.gone:
            self.buffer.write(data)
            return len(text)
        call = getattr(here, 'call', 0)
        key = (call or threading.current_thread(), self.stream)
        with self.lock:
            data = partial.pop(key, b'') + data
            cut = data.rfind(b'\n') + 1
            if len(data) - cut > MAX_LINE_BYTES:
                cut = len(data)
            if cut < len(data):
                partial[key] = data[cut:]
        if cut:  # not under the lock: a __del__ that prints may run in a thread that holds the wire's lock
            self.emit(call, data[:cut])
        return len(text)

    def emit(self, call, data):
        fields = {'type': 'log', 'stream': self.stream}
        if call:
            fields['id'] = call
        self.wire.send(encode_frame(fields, b'', data))

    def end_line(self, owner, call):
        data = partial.pop((owner, self.stream), b'')
        if data:
            self.emit(call, data + b'\n')

    def flush(self):
        """Does nothing inside a call: whole lines are sent at once, half a line waits for its end
        or the call's.
        """
        if not self.wire.gone and not getattr(here, 'call', 0):
            self.end_line(threading.current_thread(), 0)

    def fileno(self):
        return self.fd

    def isatty(self):
        return os.isatty(self.fd)

    def writable(self):
        return True

    def close(self):
        """Only flushes: other calls still print."""
        self.flush()

    def renew_lock(self):
        self.lock = threading.RLock()


def redirect(wire):
    for stream in sys.stdout, sys.stderr:
        if stream is not None:
            stream.flush()
    outputs[:] = Output(wire, 1), Output(wire, 2)
    sys.stdout, sys.stderr = outputs


def finish_lines(call):
    """Sends the lines that an answered call has left without a line break."""
    for output in outputs:
        output.end_line(call, call)
