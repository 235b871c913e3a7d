"""Sends what a function prints as `log` frames with the id of its call (PROTOCOL.md, chapter 7)."""

import io
import os
import sys
from _thread import RLock, get_ident
from threading import local

from .contexts import current

MAX_LINE_CHARACTERS = 1 << 20  # a longer line is sent in pieces

here = local()  # .runner: the Runner of this thread, if it is one

outputs: 'list[Output]' = []  # the worker's streams, also while a function has replaced sys.stdout
partial: 'dict[tuple[int, str], str]' = {}  # (call or negated thread, stream) -> the beginning of a line


class Output(io.TextIOBase):
    """Replaces sys.stdout or sys.stderr.

    Descriptors 1 and 2 stay as they are for C code and child processes.
    """

    encoding = 'utf-8'
    errors = 'backslashreplace'  # print() must not fail for text without a UTF-8 form
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
        call = current.get().call
        key = (call or -get_ident(), self.stream)
        with self.lock:
            size = len(text)
            if partial:
                text = partial.pop(key, '') + text
            cut = text.rfind('\n') + 1
            if len(text) - cut > MAX_LINE_CHARACTERS:
                cut = len(text)
            if cut < len(text):
                partial[key] = text[cut:]
        if cut:  # not under the lock: a __del__ that prints may run in a thread that holds the wire's lock
            self.emit(call, text[:cut])
        return size

    def emit(self, call: int, text: str) -> None:
        body = text.encode('utf-8', self.errors)
        mark = b'"id":%d,' % call if call else b''
        frame = b'{"type":"log","stream":"%b",%b"body":%d}\n' % (self.stream.encode(), mark, len(body))
        self.wire.on_print(frame + body)

    def end_line(self, key):
        text = partial.pop((key, self.stream), '')
        if text:
            self.emit(max(key, 0), text + '\n')

    def flush(self):
        """Does nothing inside a call: whole lines are sent at once, half a line waits for its end
        or the call's.
        """
        if not self.wire.gone and not current.get().call:
            self.end_line(-get_ident())

    def fileno(self):
        return self.fd

    def isatty(self):
        return os.isatty(self.fd)

    def writable(self):
        return True

    def close(self):
        """Only flushes: other calls still print."""
        self.flush()

    def reconfigure(self, **settings):
        """Does nothing: the stream is always UTF-8, line by line."""

    def renew_lock(self):
        self.lock = RLock()


def redirect(wire):
    for stream in sys.stdout, sys.stderr:
        if stream is not None:
            stream.flush()
    outputs[:] = Output(wire, 1), Output(wire, 2)
    sys.stdout, sys.stderr = outputs


def finish_lines(call: int) -> None:
    """Sends the lines that an answered call has left without a line break."""
    for output in outputs:
        output.end_line(call)
