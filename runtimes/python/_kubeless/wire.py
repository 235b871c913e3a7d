"""The wire: frames in, frames out of one socket (PROTOCOL.md, chapters 1 and 2)."""

import fcntl
import io
import json
import os
import stat
import sys
from threading import Lock, get_ident

READ = 1 << 16  # bytes: a hundred calls, and still below malloc's threshold for a mapping of its own
LINE_MAX = 1 << 20  # bytes, PROTOCOL 2.3

scan = json.JSONDecoder().scan_once


def take_wire(number=3):
    """The wire, moved to a high descriptor: a handler may well close 3, or write to it, by number."""
    try:
        connected = stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        connected = False
    if not connected:
        sys.exit('worker.py is started by the loader, with a socket at descriptor 3: use `kubeless-loader run FILE`')
    fd = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 64)
    os.set_blocking(fd, True)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, number, inheritable=False)
    os.dup2(nothing, 0)  # PROTOCOL 1.4, also where someone else than the loader starts the worker
    os.close(nothing)
    return Wire(fd)


class Wire:
    def __init__(self, fd):
        self.fd = fd
        self.gone = False  # in a forked child, which must not write
        self.out = []  # frames on their way: anyone appends, flush() takes them away in order
        self.lock = Lock()
        self.writer = 0  # the thread that is in flush()
        self.rest = b''  # the beginning of a frame
        self.large = None  # a body that comes in parts
        self.on_print = self.send  # how what the function prints is sent; whoever runs calls may be lazier

    # ---- out

    def send(self, frame):
        self.out.append(frame)
        self.flush()

    def flush(self):
        me = get_ident()
        if self.writer == me:  # a __del__ or a signal handler printed in here: the loop below takes that along
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
                self.writer = 0

    def leave_to_parent(self):
        """In a forked child: locks may be held by threads that are no more, and the wire is the parent's (1.2)."""
        self.gone = True
        self.out = []
        self.lock = Lock()
        self.writer = 0
        os.close(self.fd)

    # ---- in

    def read(self):
        """Waits for bytes; gives the frames that are whole by now, each as (fields, head, body)."""
        if self.large is not None:
            return self.read_large()
        data = os.read(self.fd, READ)
        if not data:
            os._exit(0)  # PROTOCOL 1.3
        if self.rest:
            data = self.rest + data
            self.rest = b''
        text = data.decode('latin-1')  # one character a byte, so that both have the same places (2.6)
        frames = []
        at, end = 0, len(data)
        while at < end:
            line_end = data.find(b'\n', at)
            if line_end < 0:
                if end - at > LINE_MAX:
                    broken('a line over 1 MiB')
                break
            try:
                fields, stop = scan(text, at)
                head_at = line_end + 1
                body_at = head_at + fields.get('head', 0)
                after = body_at + fields.get('body', 0)
            except (ValueError, StopIteration, AttributeError, TypeError, RecursionError):
                broken(text[at:line_end])
            if stop != line_end or not head_at <= body_at <= after or 'type' not in fields:
                broken(text[at:line_end])
            if after > end:
                if body_at <= end and after - end > READ:
                    self.large = Large(fields, data[head_at:body_at], data[body_at:], after - body_at)
                    return frames
                break
            frames.append((fields, data[head_at:body_at], data[body_at:after]))
            at = after
        self.rest = data[at:]
        return frames

    def read_large(self):
        large = self.large
        count = os.readv(self.fd, [large.space[large.filled :]])
        if not count:
            os._exit(0)
        large.filled += count
        if large.filled < large.size:
            return ()
        self.large = None
        return (large.whole(),)


class Large:
    """A body that is read where it will stay: BytesIO gives its bytes away without a copy."""

    def __init__(self, fields, head, start, size):
        self.fields, self.head, self.size = fields, head, size
        self.buffer = io.BytesIO()
        self.buffer.seek(size - 1)
        self.buffer.write(b'\0')
        self.space = self.buffer.getbuffer()
        self.filled = len(start)
        self.space[: self.filled] = start

    def whole(self):
        self.space.release()
        return self.fields, self.head, self.buffer.getvalue()


def write_all(fd, data):
    try:
        sent = os.write(fd, data)
        while sent < len(data):
            sent += os.write(fd, memoryview(data)[sent:])
    except OSError:
        os._exit(0)  # the loader is gone


def broken(what):
    os.write(2, ('the loader sent what is no frame: %.200r\n' % what).encode())
    os._exit(70)  # PROTOCOL 2.7
