"""Runs `async def` functions: many calls on one asyncio loop, which also reads the wire."""

import asyncio
import sys
from threading import get_ident

from .errors import Cancelled, error_frame, message_of
from .forks import end_child
from .output import call_of_task, copy_context, finish_lines, partial
from .request import event_of
from .results import answer, chunk, close, end, is_response, parts, piece, respond

BACKLOG = 64  # frames that may wait for the loop's next turn
GRACE = 1  # seconds for what handlers have left running when the worker stops
DONE = object()

all_tasks = getattr(asyncio, 'all_tasks', None) or asyncio.Task.all_tasks  # the latter in Python 3.6


class Loop:
    def __init__(self, wire, handler, context):
        self.wire, self.handler, self.context = wire, handler, context
        self.loop = asyncio.new_event_loop()
        self.thread = get_ident()
        self.held = 0  # calls begun and not answered
        self.tasks = {}
        self.paused = {}
        self.cancelled = set()
        self.flushing = False  # a flush is due in this turn
        self.stopping = False
        wire.on_print = self.post

    def serve(self):
        """Returns when `stop` has come and all calls are done."""
        asyncio.set_event_loop(self.loop)
        self.loop.add_reader(self.wire.fd, self.read)
        while not (self.stopping and not self.held):  # a handler may have stopped the loop
            run(self.loop)
        self.wire.flush()
        self.tidy()

    def tidy(self):
        """As asyncio.run() does: what handlers have left running is cancelled, and heard out."""
        rest = all_tasks(self.loop)
        for task in rest:
            task.cancel()
        try:
            if rest:
                self.loop.run_until_complete(asyncio.wait(rest, timeout=GRACE))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        except BaseException as error:  # a task that exits, say; the calls are all answered
            print('a task raised %s' % message_of(error), file=sys.stderr)

    # ---- the wire

    def read(self):
        for fields, head, body in self.wire.read():
            kind, call = fields['type'], fields.get('id')
            if kind == 'call':
                self.held += 1
                task = start(self.call(call, fields, head, body), self.loop)
                if not task.done():
                    self.tasks[call] = task
            elif kind == 'stop':
                self.stopping = True
            elif call in self.tasks:
                self.control(kind, call)
        if self.stopping and not self.held:
            self.loop.stop()

    def control(self, kind, call):
        if kind == 'cancel':
            self.cancelled.add(call)
            self.loop.call_soon(self.tasks[call].cancel)  # not before it has begun: it would end without an answer
        elif kind == 'pause' and call not in self.paused:
            self.paused[call] = self.loop.create_future()
        elif kind == 'resume' and call in self.paused:
            resumed = self.paused.pop(call)
            if not resumed.done():  # as it is when the call was cancelled in between
                resumed.set_result(None)

    def post(self, frame):
        """All that is ready in one turn of the loop goes in one write."""
        self.wire.out.append(frame)
        if get_ident() != self.thread or len(self.wire.out) > BACKLOG:
            self.wire.flush()
        elif not self.flushing:
            self.flushing = True
            self.loop.call_soon(self.flush)

    def flush(self):
        self.flushing = False
        self.wire.flush()

    # ---- calls

    async def call(self, call, fields, head, body):
        mark = [call]
        call_of_task.set(mark)
        frame = await self.answer(call, fields, head, body)
        if partial:
            finish_lines(call)
        mark[0] = 0
        self.tasks.pop(call, None)
        self.paused.pop(call, None)
        self.cancelled.discard(call)
        self.post(frame)
        self.held -= 1
        if self.stopping and not self.held:
            self.loop.stop()

    async def answer(self, call, fields, head, body):
        """The frame that ends the call. Nothing a handler raises gets past here."""
        try:
            if call in self.cancelled:
                raise Cancelled('cancelled before it began')
            value = self.handler(event_of(fields, head, body), self.context.copy())
            while hasattr(value, '__await__'):
                value = await value
            frame = answer(call, value)
            if type(frame) is not bytes:
                frame = await self.stream(call, frame)
            if self.wire.gone:
                end_child()
            return frame
        except BaseException as error:
            if self.wire.gone:
                end_child(error)
            return await self.failure(call, self.as_told(call, error))

    def as_told(self, call, error):
        return Cancelled('cancelled') if isinstance(error, asyncio.CancelledError) and call in self.cancelled else error

    async def failure(self, call, error):
        if not is_response(error):  # raise bottle.HTTPResponse(…) is an answer
            return error_frame(call, error)
        try:
            frame = respond(call, error)
            return frame if type(frame) is bytes else await self.stream(call, frame)
        except BaseException as second:
            return error_frame(call, second)

    async def stream(self, call, stream):
        pieces, opened = stream.pieces, False
        if not hasattr(pieces, '__anext__'):
            pieces = at_hand(pieces) if stream.at_hand else in_thread(pieces, self.loop)
        try:
            async for item in pieces:
                data = piece(item)
                if not opened:
                    self.wire.send(stream.opening(call, item))
                    opened = True
                for part in parts(data):
                    while call in self.paused:
                        await self.paused[call]
                    self.wire.send(chunk(call, part))
                    await asyncio.sleep(0)  # a generator that never waits must not keep `pause` from being read
            if not opened:
                self.wire.send(stream.opening(call, ''))
            return end(call)
        except BaseException as error:
            if not opened:
                raise
            return error_frame(call, self.as_told(call, error))
        finally:
            if hasattr(pieces, 'aclose'):
                await pieces.aclose()


async def at_hand(pieces):
    for item in pieces:
        yield item


async def in_thread(pieces, loop):
    """A plain iterator may block, and then it must not block everybody."""
    prefix = () if copy_context is None else (copy_context().run,)
    step = None
    try:
        while True:
            step = loop.run_in_executor(None, *prefix, next, pieces, DONE)
            item = await asyncio.shield(step)
            if item is DONE:
                return
            yield item
    finally:
        if step is not None and not step.done():  # cancelled meanwhile; what runs cannot be closed
            await asyncio.wait([step])
            step.exception()
        await loop.run_in_executor(None, *prefix, close, pieces)


def start(coroutine, loop):
    """Python 3.12 runs a task up to its first wait at once, which spares a turn of the loop."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
    return loop.create_task(coroutine)


def run(loop):
    try:
        loop.run_forever()
    except (SystemExit, KeyboardInterrupt) as error:  # from a task that a handler has left running
        print('a task raised %s' % message_of(error), file=sys.stderr)
