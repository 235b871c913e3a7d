"""Runs plain functions on threads, without a change of thread for each call.

One thread, the reader, owns the wire. It reads what has come, runs the calls in it itself, and sends all their answers
with one write: a fast function costs no more than a function call. A monitor looks every few milliseconds. When it
finds the reader inside one call for long, it lets another thread read on and take the calls that wait. When calls turn
out to be slow as a rule, the reader hands its place on before it runs any (`spread`), until they are fast again.

There is one thread more than calls may run, so somebody is always there to read `cancel`, `pause` and `stop`.
"""

import os
import sys
from collections import deque
from threading import Event, Lock, Thread, current_thread
from time import monotonic, sleep

from .calls import Calls, Flow
from .errors import stack_of
from .output import finish_lines, here, partial

TICK = 0.002  # seconds
QUIET = 10  # ticks without work after which the monitor rests
SLOW = 0.0002  # seconds a call, on average: a change of thread costs a tenth of it
FAST = SLOW / 2
BACKLOG = 64  # frames that may wait for the reader's next write


class Runner:
    """A thread that runs calls, and what the others need to know of it."""

    __slots__ = ('call', 'gate')

    def __init__(self):
        self.call = 0  # the id of the call it is inside of
        self.gate = Lock()  # where it waits when there is nothing to do
        self.gate.acquire()


class Threads:
    def __init__(self, wire, handler, context, limit):
        self.wire, self.limit = wire, limit
        self.calls = Calls(wire, handler, context)
        self.flows = self.calls.flows
        self.lock = Lock()  # for who reads, who runs and who rests; nothing is read or run under it
        self.runners = []
        self.idle = []  # those at their gates, the latest last: its memory is the warmest
        self.reader = None
        self.reading = False  # the reader is inside wire.read()
        self.waiting = deque()  # calls that nobody has begun
        self.taken = 0  # calls that were ever read
        self.spread = False
        self.resting = False  # the monitor is
        self.stir = Event()
        self.stopping = False
        self.over = Lock()
        self.over.acquire()
        wire.on_print = self.on_print

    def serve(self):
        """Returns when `stop` has come and all calls are done."""
        with self.lock:
            self.wake(1)
        Thread(target=self.watch, name='monitor', daemon=True).start()
        self.over.acquire()

    # ---- who does what

    def work(self, me):
        here.runner = me
        if sys.version_info >= (3, 8):  # before that, the interpreter at its end waits for whatever looks like this
            current_thread()._daemonic = False  # else the threads that a handler starts would be daemons too
        try:
            if 'asyncio' in sys.modules:
                give_loop()
            while True:
                self.step(me)(me)
        except BaseException as error:  # a mistake of ours: what handlers raise ends in calls.py
            os.write(2, stack_of(error).encode('utf-8', 'replace'))
            os._exit(70)

    def step(self, me):
        with self.lock:
            if self.waiting and self.may_run(me):
                if self.spread and self.reader is me:
                    self.reader = None
                    self.wake(len(self.waiting))
                return self.run
            if self.reader is None or self.reader is me:
                self.reader = me
                self.reading = True
                self.end_if_done()
                return self.read
            self.idle.append(me)
            self.end_if_done()
            return self.rest

    def may_run(self, me):
        """Somebody else has to be left who can read."""
        return self.idle or len(self.runners) <= self.limit or self.reader not in (me, None)

    def wake(self, count):
        """They see for themselves what there is to do. The lock is held."""
        for _ in range(count):
            if self.idle:
                self.idle.pop().gate.release()
            elif len(self.runners) <= self.limit:
                runner = Runner()
                name = 'call-%d' % (len(self.runners) + 1)
                try:
                    Thread(target=self.work, args=(runner,), name=name, daemon=True).start()
                except RuntimeError:  # the container's limit of processes; those who are there have to do
                    if not self.runners:
                        raise
                    self.limit = max(1, len(self.runners) - 1)
                    return
                self.runners.append(runner)

    def end_if_done(self):
        if self.reading and not self.waiting and len(self.idle) == len(self.runners) - 1:
            self.flows.clear()
            if self.stopping:
                self.stopping = False
                self.over.release()

    def rest(self, me):
        me.gate.acquire()

    # ---- the wire

    def read(self, me):
        frames = self.wire.read()
        self.reading = False
        for frame in frames:
            if frame[0]['type'] == 'call':
                self.waiting.append(frame)
                self.taken += 1
            else:
                self.control(frame[0])
        if self.resting:
            self.stir.set()

    def control(self, fields):
        kind, call = fields['type'], fields.get('id')
        if kind == 'stop':
            self.stopping = True
        elif kind in ('pause', 'resume', 'cancel') and self.holds(call):
            getattr(self.flows.setdefault(call, Flow()), kind)()

    def holds(self, call):
        return any(runner.call == call for runner in self.runners) or any(
            fields['id'] == call for fields, _, _ in list(self.waiting)
        )

    def on_print(self, frame):
        """The reader's lines go with its answers, or at the monitor's next look."""
        self.wire.out.append(frame)
        runner = getattr(here, 'runner', None)
        if runner is None or runner is not self.reader or len(self.wire.out) > BACKLOG:
            self.wire.flush()

    def run(self, me):
        waiting, post, flush, answer = self.waiting, self.wire.out.append, self.wire.flush, self.calls.answer
        while True:
            try:
                fields, head, body = waiting.popleft()
            except IndexError:
                break
            me.call = call = fields['id']
            frame = answer(call, fields, head, body)
            if partial:
                finish_lines(call)
            if self.flows:
                self.flows.pop(call, None)
            post(frame)
            if self.reader is not me:
                flush()
        me.call = 0
        flush()

    # ---- the monitor

    def watch(self):
        """Looks while there is work, and costs nothing while there is none."""
        seen = quiet = taken = 0
        busy = calls = 0.0  # seconds spent inside handlers, calls begun: sums in which the past counts for less
        last = monotonic()
        while True:
            sleep(TICK)
            now = monotonic()
            if self.wire.out:
                self.wire.flush()
            reader = self.reader
            call = 0 if reader is None else reader.call
            if call and call == seen:
                self.relieve(reader, call)
            seen = call
            inside = sum(1 for runner in self.runners if runner.call)
            busy = busy * 0.75 + inside * (now - last)
            calls = calls * 0.75 + self.taken - taken
            taken, last = self.taken, now
            if self.spread:
                self.spread = calls < 8 or busy > calls * FAST
            else:
                self.spread = busy > 1.5 * TICK and busy > calls * SLOW
            quiet = quiet + 1 if self.reading and not self.wire.out else 0
            if quiet == QUIET:
                self.stir.clear()
                self.resting = True
                if (
                    self.reading
                ):  # asked after resting is told: read() asks the other way round, so one of us sees the other
                    self.stir.wait()
                self.resting = False
                quiet, taken, last = 0, self.taken, monotonic()
                busy = calls = 0.0

    def relieve(self, reader, call):
        with self.lock:
            if self.reader is reader and reader.call == call:
                self.reader = None
                self.wake(1 + len(self.waiting))


def give_loop():
    """asyncio.get_event_loop() worked in functions when each had a process of its own; let it go on to."""
    import asyncio

    try:
        asyncio.set_event_loop(asyncio.new_event_loop())
    except OSError:  # out of descriptors, and hardly any function asks for a loop this way
        pass
