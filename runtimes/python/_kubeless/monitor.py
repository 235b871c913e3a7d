"""Hands over from a reader that is in a slow call, and decides whether calls are spread.

runtimes/ANATOMY.md ("Runners") explains both.
"""

import os
from _thread import allocate_lock
from time import monotonic, sleep

TICK_S = 0.002
QUIET_TICKS = 10  # without work; then the monitor rests
SLOW_S = 0.0002  # average time of a call above which calls are spread; a hand-over costs 0.00002
SPREAD_TICKS = 256  # then one thread alone runs calls again, as long as they are fast
PAST = 0.75  # weight of the past in the averages, per tick


class Monitor:
    def __init__(self, runners):
        self.runners = runners
        self.resting = False
        self.gate = allocate_lock()  # released to end the rest
        self.gate.acquire()
        self.clock = ThreadClock()

    def watch(self):
        """Looks once per tick while there is work, and rests otherwise."""
        while True:
            self.watch_until_quiet()
            self.gate.acquire(False)
            # read() clears `reading` before it checks `resting`, so one of the two sees the other.
            self.resting = True
            if self.runners.reading:
                self.gate.acquire()
            self.resting = False

    def rouse(self):
        if self.resting and self.gate.locked():
            self.gate.release()

    def watch_until_quiet(self):
        runners, wire, clock = self.runners, self.runners.wire, self.clock
        quiet = spread_ticks = seen = 0
        taken = runners.taken
        last = since = clock.read(runners.reader)  # at the last look, and at the first one in this call
        busy = calls = 0.0  # weighted sums: seconds that the reader was in calls, and calls begun
        while quiet < QUIET_TICKS:
            sleep(TICK_S)
            if wire.out:
                wire.flush()
            reader = runners.reader
            call = 0 if reader is None else reader.call
            now = clock.read(reader)
            if not call or call != seen:
                seen, since = call, now
            elif now.is_slow_since(since):
                runners.hand_over(reader, call)
            busy = busy * PAST + (now.active_since(last) if call else 0.0)
            calls = calls * PAST + runners.taken - taken
            taken, last = runners.taken, now
            if not runners.spread:
                runners.spread = busy > 1.5 * TICK_S and busy > calls * SLOW_S
                spread_ticks = 0
            elif spread_ticks >= SPREAD_TICKS:
                runners.spread = False
                busy = calls = 0.0
            spread_ticks += 1
            quiet = quiet + 1 if runners.reading and not wire.out else 0


class Times:
    """Clocks of one thread at one moment, in seconds."""

    __slots__ = ('cpu', 'queued', 'runner', 'wall')

    def __init__(self, runner, wall, cpu, queued):
        self.runner, self.wall = runner, wall
        self.cpu, self.queued = cpu, queued  # CPU time used, and time spent ready to run but without a CPU

    def active_since(self, earlier):
        """Returns the time in which the thread ran or was blocked."""
        wall = self.wall - earlier.wall
        return wall - (self.queued - earlier.queued) if earlier.runner is self.runner else wall

    def is_slow_since(self, earlier):
        """Returns whether the thread has used a tick of CPU time, or has been blocked for a tick
        and still is.
        """
        if self.cpu - earlier.cpu >= TICK_S:
            return True
        return self.active_since(earlier) >= TICK_S and not is_runnable(self.runner)


class ThreadClock:
    """Reads /proc/…/schedstat of the reader.

    Adds the time for which the monitor itself waits for a CPU: it may hold the interpreter lock
    then, which blocks the reader. Without schedstat (macOS, gVisor) all wall time is blocked time.
    """

    def __init__(self):
        self.runner = None
        self.fd = -1
        self.own = -1

    def read(self, runner):
        wall = monotonic()
        try:
            if runner is not self.runner:
                self.follow(runner)
            cpu, queued, _ = os.pread(self.fd, 64, 0).split()
            _, own, _ = os.pread(self.own, 64, 0).split()
        except (OSError, ValueError):
            return Times(runner, wall, 0.0, 0.0)
        return Times(runner, wall, int(cpu) / 1e9, (int(queued) + int(own)) / 1e9)

    def follow(self, runner):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        if self.own < 0:
            self.own = os.open('/proc/thread-self/schedstat', os.O_RDONLY | os.O_CLOEXEC)
        self.runner = None
        if runner is not None and runner.task is not None:
            self.fd = os.open(runner.task + '/schedstat', os.O_RDONLY | os.O_CLOEXEC)
            self.runner = runner


def is_runnable(runner):
    """Returns whether the thread runs or waits for a CPU (state R in /proc/…/stat)."""
    try:
        with open(runner.task + '/stat', 'rb', 0) as file:
            return file.read(512).rpartition(b') ')[2].startswith(b'R')
    except (OSError, TypeError):
        return False
