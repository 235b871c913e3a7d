"""Reads and writes frames on one socket (PROTOCOL.md, chapters 1 and 2)."""

import errno
import fcntl
import io
import json
import os
import stat
import sys
import threading
from numbers import Integral

READ_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20  # PROTOCOL 2.3
HIGH_DESCRIPTORS = (64, 16, 4)  # lower where the limit of open files is lower


def encode_line(fields):
    """Returns a frame without head and body."""
    return json.dumps(fields).encode('ascii') + b'\n'


def encode_frame(fields, head=b'', body=b''):
    """Returns a frame; adds the lengths of head and body to `fields`."""
    if head:
        fields['head'] = len(head)
    fields['body'] = len(body)
    return encode_line(fields) + head + body


def take_wire(number=3):
    """Returns the wire, moved to a high descriptor: a handler may close 3, or write to it, by
    number.
    """
    try:
        connected = stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        connected = False
    if not connected:
        sys.exit('worker.py is started by the loader, with a socket at descriptor 3: use `kubeless-loader run FILE`')
    fd = duplicate(number)
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) & ~os.O_NONBLOCK)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, number)
    close_on_exec(number)
    os.dup2(nothing, 0)  # standard input is empty (PROTOCOL 1.4), also under another starter than the loader
    os.close(nothing)
    return Wire(fd)


def duplicate(number):
    for least in HIGH_DESCRIPTORS:
        try:
            fd = fcntl.fcntl(number, fcntl.F_DUPFD, least)
        except (IOError, OSError):  # `ulimit -n` is not above it
            continue
        close_on_exec(fd)
        return fd
    sys.exit('the limit of open files (ulimit -n) is too low: the worker needs at least 16')


def close_on_exec(fd):
    fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.fcntl(fd, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


class Wire(object):
    def __init__(self, fd):
        self.fd = fd
        self.file = io.open(fd, 'rb', READ_BYTES, closefd=False)
        self.gone = False  # this is a forked child, which must not write
        self.out = []  # frames to write; any thread appends, flush() removes them in order
        self.lock = threading.Lock()
        self.writer = None  # the thread that is in flush()

    # ---- out

    def send(self, frame):
        self.out.append(frame)
        self.flush()

    def flush(self):
        me = threading.current_thread()
        if self.writer is me:  # a __del__ or signal handler printed during flush(); the loop below sends that too
            return
        with self.lock:
            self.writer = me
            try:
                while self.out:
                    count = len(self.out)
                    data = b''.join(self.out[:count])
                    del self.out[:count]
                    if not self.gone:
                        write_all(self.fd, data)
            finally:
                self.writer = None

    def leave_to_parent(self):
        """In a forked child: closes the wire, and replaces the lock, which a thread of the parent
        may hold.
        """
        self.gone = True
        self.out = []
        self.lock = threading.Lock()
        self.writer = None
        os.close(self.fd)

    # ---- in

    def frames(self):
        """Yields each frame as a tuple of fields, head and body.

        Exits with code 0 at end of file (PROTOCOL 1.3), with 70 if a line is broken (PROTOCOL 2.7).
        """
        while True:
            fields = self.line()
            yield fields, self.bytes(fields.get('head', 0)), self.bytes(fields.get('body', 0))

    def line(self):
        line = self.file.readline(MAX_LINE_BYTES + 1)
        if not line.endswith(b'\n'):
            if len(line) > MAX_LINE_BYTES:
                broken('a line over 1 MiB')
            os._exit(0)
        try:
            fields = json.loads(line.decode('latin-1'))
        except (ValueError, RuntimeError):  # RuntimeError: nested too deeply
            broken(line)
        if not isinstance(fields, dict) or 'type' not in fields:
            broken(line)
        for name in 'head', 'body':
            size = fields.get(name, 0)
            if not isinstance(size, Integral) or size < 0:
                broken(line)
        return fields

    def bytes(self, size):
        data = self.file.read(size) if size else b''
        if len(data) < size:
            os._exit(0)
        return data


def write_all(fd, data):
    rest = memoryview(data)
    while len(rest):
        try:
            rest = rest[os.write(fd, rest) :]
        except OSError as error:
            if error.errno != errno.EINTR:  # Python before 3.5 does not try again by itself
                os._exit(0)  # the loader has ended


def broken(what):
    try:
        os.write(2, ('the loader sent a broken frame: %.200r\n' % (what,)).encode('ascii', 'backslashreplace'))
    finally:
        os._exit(70)
