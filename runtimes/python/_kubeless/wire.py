"""Reads and writes frames on one socket (PROTOCOL.md, chapters 1 and 2)."""

import fcntl
import io
import json
import os
import stat
import sys
from _thread import allocate_lock, get_ident

READ_BYTES = 1 << 16  # about a hundred calls; more, and malloc would map and unmap memory for each read
MAX_LINE_BYTES = 1 << 20  # PROTOCOL 2.3
HIGH_DESCRIPTORS = (64, 16, 4)  # lower where the limit of open files is lower

scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Frame


def encode_line(fields: dict) -> bytes:
    """Returns a frame without head and body."""
    return json.dumps(fields).encode() + b'\n'


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
    os.set_blocking(fd, True)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, number, inheritable=False)
    os.dup2(nothing, 0)  # standard input is empty (PROTOCOL 1.4), also under another starter than the loader
    os.close(nothing)
    return Wire(fd)


def duplicate(number):
    for least in HIGH_DESCRIPTORS:
        try:
            fd = fcntl.fcntl(number, fcntl.F_DUPFD, least)
        except OSError:  # `ulimit -n` is not above it
            continue
        os.set_inheritable(fd, False)
        return fd
    sys.exit('the limit of open files (ulimit -n) is too low: the worker needs at least 16')


class Wire:
    def __init__(self, fd):
        self.fd = fd
        self.file = io.FileIO(fd, closefd=False)
        self.gone = False  # this is a forked child, which must not write
        self.out: 'list[bytes]' = []  # frames to write; any thread appends, flush() removes them in order
        self.lock = allocate_lock()
        self.writer = 0  # the thread that is in flush()
        self.rest = b''  # the beginning of a frame
        self.large: 'Large | None' = None  # a frame whose body is still being read
        self.on_print = self.send  # sends `log` frames; the runners set one that joins them with answers

    # ---- out

    def send(self, frame: bytes) -> None:
        self.out.append(frame)
        self.flush()

    def flush(self) -> None:
        me = get_ident()
        if self.writer == me:  # a __del__ or signal handler printed during flush(); the loop below sends that too
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
        """In a forked child: closes the wire, and replaces the lock, which a thread of the parent
        may hold.
        """
        self.gone = True
        self.out = []
        self.lock = allocate_lock()
        self.writer = 0
        os.close(self.fd)

    # ---- in

    def read(self) -> 'list[Frame]':
        """Waits for bytes and returns the frames that are complete, each as a tuple of fields, head
        and body.

        Exits with code 0 at end of file (PROTOCOL 1.3), with 70 if a line is broken (PROTOCOL 2.7).
        """
        if self.large is not None:
            return self.read_large(self.large)
        data = os.read(self.fd, READ_BYTES)
        if not data:
            os._exit(0)
        if self.rest:
            data = self.rest + data
            self.rest = b''
        text = data.decode('latin-1')  # one character per byte, so offsets are the same (PROTOCOL 2.6)
        frames: 'list[Frame]' = []
        at, end = 0, len(data)
        while at < end:
            line_end = data.find(b'\n', at)
            if line_end < 0:
                if end - at > MAX_LINE_BYTES:
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
                if body_at <= end and after - end > READ_BYTES:
                    self.large = Large(fields, data[head_at:body_at], data[body_at:], after - body_at)
                    return frames
                break
            frames.append((fields, data[head_at:body_at], data[body_at:after]))
            at = after
        self.rest = data[at:]
        return frames

    def read_large(self, large: 'Large') -> 'list[Frame]':
        if not large.fill(self.file):
            return []
        self.large = None
        return [large.frame()]


class Large:
    """A frame with a large body, which is read into its final place: BytesIO gives its bytes away
    without a copy.
    """

    def __init__(self, fields, head, start, size):
        self.fields, self.head, self.size = fields, head, size
        self.buffer = io.BytesIO()
        self.buffer.seek(size - 1)
        self.buffer.write(b'\0')
        self.space = self.buffer.getbuffer()
        self.filled = len(start)
        self.space[: self.filled] = start

    def fill(self, file):
        """Reads once and returns whether the body is complete."""
        count = file.readinto(self.space[self.filled :])
        if not count:
            os._exit(0)
        self.filled += count
        return self.filled == self.size

    def frame(self):
        self.space.release()
        return self.fields, self.head, self.buffer.getvalue()


def write_all(fd, data):
    try:
        sent = os.write(fd, data)
        while sent < len(data):
            sent += os.write(fd, memoryview(data)[sent:])
    except OSError:
        os._exit(0)  # the loader has ended


def broken(what):
    try:
        os.write(2, ('the loader sent a broken frame: %.200r\n' % what).encode())
    finally:
        os._exit(70)
