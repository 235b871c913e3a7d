"""Runs the calls of a plain handler on threads.

runtimes/ANATOMY.md ("Runners") explains the scheme: reader, runner, monitor, hand-over and spread.
"""

import os
import sys
import threading
from _thread import allocate_lock, start_new_thread
from collections import deque

from .calls import Calls
from .errors import guard
from .green import is_patched
from .monitor import Monitor
from .output import finish_lines, here, partial
from .wire import Wire

IDLE_S = 60  # a runner that was not needed for so long ends
MAX_BACKLOG = 64  # frames that may wait for the reader's next write

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Context, Frame, Handler


class Runner:
    """A thread that runs calls."""

    __slots__ = ('call', 'ended', 'gate', 'task')

    def __init__(self):
        self.call = 0  # id of the call that it is running
        self.ended = False
        self.task: 'str | None' = None  # folder of the thread in /proc
        self.gate = allocate_lock()  # locked while the thread has nothing to do; released to wake it
        self.gate.acquire()


class Runners:
    def __init__(self, wire: Wire, handler: 'Handler', context: 'Context', limit: int):
        self.wire, self.limit = wire, limit
        self.calls = Calls(wire, handler, context)
        self.flows = self.calls.flows
        self.lock = allocate_lock()  # guards runners, idle and reader; not held while a call runs or the wire is read
        self.main = Runner()  # the thread that loaded the function
        self.on_main = limit == 1  # then it also runs all calls: what was opened at load may be bound to it (sqlite3)
        self.runners: 'list[Runner]' = []
        self.idle: 'list[Runner]' = []  # the last one to become idle is woken first: its memory is in the caches
        self.reader: 'Runner | None' = None
        self.reading = False  # the reader is inside wire.read()
        self.waiting: 'deque[Frame]' = deque()  # calls that have not begun
        self.taken = 0  # number of calls read so far
        self.spread = False
        self.stopping = False
        self.monitor = Monitor(self)
        wire.on_print = self.on_print

    def serve(self):
        """Returns when `stop` has come and all calls are answered."""
        with self.lock:
            if self.on_main:
                self.runners.append(self.main)
            else:
                self.wake(1)
        start_thread(self.monitor.watch, 'monitor')
        if self.on_main:
            guard(self.work, self.main)
        else:
            self.main.gate.acquire()

    # ---- which thread does what

    def work(self, me):
        here.runner = me
        try:
            me.task = os.path.join('/proc', os.readlink('/proc/thread-self'))
        except OSError:
            pass
        # Not a daemon, because threads that a handler starts inherit this. Before 3.8 the
        # interpreter would wait for it.
        if sys.version_info >= (3, 8):
            threading.current_thread()._daemonic = False  # type: ignore[attr-defined]
        while not me.ended:
            self.step(me)(me)

    def step(self, me):
        """Returns what the thread does next: run, read or rest."""
        with self.lock:
            if self.waiting:
                if self.may_run(me):
                    if self.spread and self.reader is me:
                        self.reader = None
                        self.wake(len(self.waiting))
                    return self.run
                if self.on_main and self.main in self.idle:
                    self.reader = self.main
                    self.idle.remove(self.main)
                    self.main.gate.release()
            if self.reader is None or self.reader is me:
                self.reader = me
                self.reading = True
                self.end_if_done()
                return self.rest if me.ended else self.read
            self.idle.append(me)
            self.end_if_done()
            return self.rest

    def may_run(self, me):
        """Returns whether another runner is left that can read."""
        if self.on_main:
            return me is self.main
        return self.idle or len(self.runners) <= self.limit or self.reader not in (me, None)

    def wake(self, count: int) -> None:
        """Wakes or starts runners, which decide themselves what to do. The lock is held."""
        for _ in range(count):
            if self.idle:
                self.idle.pop().gate.release()
            elif len(self.runners) <= self.limit:
                runner = Runner()
                try:
                    start_thread(self.work, 'call-%d' % (len(self.runners) + 1), runner)
                except RuntimeError:  # the container's limit of processes is reached: use the existing threads
                    if not self.runners:
                        raise
                    self.limit = max(1, len(self.runners) - 1)
                    return
                self.runners.append(runner)

    def end_if_done(self):
        if self.reading and not self.waiting and len(self.idle) == len(self.runners) - 1:
            self.flows.clear()
            if self.stopping and not self.main.ended:
                self.main.ended = True
                self.main.gate.release()

    def rest(self, me):
        if me.gate.acquire(timeout=-1 if me is self.main else IDLE_S):
            return
        with self.lock:
            if me in self.idle:
                self.idle.remove(me)
                self.runners.remove(me)
                me.ended = True

    # ---- the wire

    def read(self, me):
        frames = self.wire.read()
        self.reading = False
        for frame in frames:
            fields = frame[0]
            if fields['type'] == 'call':
                self.waiting.append(frame)
                self.taken += 1
            elif fields['type'] == 'stop':
                self.stopping = True
            elif self.holds(fields.get('id')):
                self.calls.control(fields, fields['id'])
        self.monitor.rouse()

    def holds(self, call):
        return any(runner.call == call for runner in self.runners) or any(
            fields['id'] == call for fields, _, _ in list(self.waiting)
        )

    def on_print(self, frame):
        """Sends a `log` frame: the reader's with its answers or in the next tick, all others at
        once.
        """
        self.wire.out.append(frame)
        runner = getattr(here, 'runner', None)
        if runner is None or runner is not self.reader or len(self.wire.out) > MAX_BACKLOG:
            self.wire.flush()

    def run(self, me):
        waiting, post, flush, answer = self.waiting, self.wire.out.append, self.wire.flush, self.calls.answer
        new_context = self.calls.loaded.copy
        while True:
            try:
                fields, head, body = waiting.popleft()
            except IndexError:
                break
            me.call = call = fields['id']
            frame = new_context().run(answer, call, fields, head, body)
            if partial:
                finish_lines(call)
            if self.flows:
                self.flows.pop(call, None)
            post(frame)
            if self.reader is not me:
                flush()
        me.call = 0
        flush()

    def hand_over(self, reader: Runner, call: int) -> None:
        """Makes another runner the reader, unless the call has ended meanwhile."""
        with self.lock:
            if self.reader is reader and reader.call == call:
                self.reader = None
                self.wake(1 + len(self.waiting))


class Thread(threading.Thread):
    def _bootstrap(self):
        # start() would wait for ever for a thread that fails before it runs, as it has no memory.
        guard(super()._bootstrap)  # type: ignore[misc]


def start_thread(run, name, *args):
    if not is_patched(allocate_lock):
        Thread(target=guard, args=(run, *args), name=name, daemon=True).start()
    else:  # a handler has replaced threading by greenlets (gevent) after the function was loaded
        start_new_thread(guard, (run, *args))
