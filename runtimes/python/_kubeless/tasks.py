"""Runs the calls of an `async def` handler on one asyncio loop, which also reads the wire."""

import asyncio
import sys
from _thread import get_ident

from .contexts import PER_COROUTINE, copy_context, current, decimal_setter
from .ending import raise_sigterm
from .errors import Cancelled, error_frame, guard, message_of
from .event import event_of, extensions_of
from .forks import end_child
from .output import finish_lines, partial
from .result import chunk, close, end, is_response, parts, piece, result_of
from .wire import Wire

MAX_BACKLOG = 64  # frames that may wait for the loop's next turn
MAX_CANCEL_S = 1  # time for tasks that handlers have left running, when the worker stops
TURNS_OF_A_SIGNAL = 3  # of the loop: read its pipe, run the signal's callback, start a task
DONE = object()

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Call, Context, Handler

all_tasks = getattr(asyncio, 'all_tasks', None) or asyncio.Task.all_tasks  # type: ignore[attr-defined]  # Python 3.6


class Tasks:
    def __init__(self, wire: Wire, handler: 'Handler', context: 'Context'):
        self.wire, self.handler, self.context = wire, handler, context
        self.loop = asyncio.new_event_loop()
        self.thread = get_ident()
        self.set_decimal = decimal_setter() if PER_COROUTINE else None
        self.held = 0  # calls begun and not answered
        self.tasks: 'dict[int, asyncio.Task]' = {}
        self.paused: 'dict[int, asyncio.Future]' = {}  # call id -> future that `resume` completes
        self.cancelled: 'set[int]' = set()
        self.flushing = False  # a flush is due in this turn
        self.stopping = False
        wire.on_print = self.post

    def serve(self):
        """Returns when `stop` has come, all calls are answered and all tasks have ended."""
        asyncio.set_event_loop(self.loop)
        self.loop.add_reader(self.wire.fd, guard, self.read)
        while not (self.stopping and not self.held):  # a handler may have stopped the loop
            run(self.loop)
        self.wire.flush()
        try:
            self.end_by_signal()
            self.end_tasks()
        except BaseException as error:  # a task that exits, for example; all calls are answered
            print('a task raised %s' % message_of(error), file=sys.stderr)

    def end_by_signal(self):
        """Runs the function's SIGTERM handler, also one of loop.add_signal_handler, and the tasks
        that it starts.
        """
        before = all_tasks(self.loop)
        if raise_sigterm():
            for _ in range(TURNS_OF_A_SIGNAL):
                self.loop.run_until_complete(asyncio.sleep(0))
            self.wait(all_tasks(self.loop) - before)

    def end_tasks(self):
        """Cancels the tasks that handlers have left running and waits for them, as asyncio.run()
        does.
        """
        rest = all_tasks(self.loop)
        for task in rest:
            task.cancel()
        self.wait(rest, MAX_CANCEL_S)
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def wait(self, tasks, timeout=None):
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=timeout))

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
            self.loop.call_soon(self.tasks[call].cancel)  # not earlier: a task that has not begun would not answer
        elif kind == 'pause' and call not in self.paused:
            self.paused[call] = self.loop.create_future()
        elif kind == 'resume' and call in self.paused:
            resumed = self.paused.pop(call)
            if not resumed.done():  # done if the call was cancelled meanwhile
                resumed.set_result(None)

    def post(self, frame):
        """Sends a frame together with all others of this turn of the loop."""
        self.wire.out.append(frame)
        if get_ident() != self.thread or len(self.wire.out) > MAX_BACKLOG:
            self.wire.flush()
        elif not self.flushing:
            self.flushing = True
            self.loop.call_soon(self.flush)

    def flush(self):
        self.flushing = False
        self.wire.flush()

    # ---- calls

    async def call(self, call: int, fields: 'Call', head: bytes, body: bytes) -> None:
        extensions = extensions_of(call, fields, head, body)
        if PER_COROUTINE:
            current.set(extensions)
        frame = await self.answer(call, fields, body, extensions)
        if partial:
            finish_lines(call)
        extensions.call = 0
        self.tasks.pop(call, None)
        self.paused.pop(call, None)
        self.cancelled.discard(call)
        self.post(frame)
        self.held -= 1
        if self.stopping and not self.held:
            self.loop.stop()

    async def answer(self, call, fields, body, extensions):
        """Returns the frame that ends the call. Does not raise."""
        try:
            if call in self.cancelled:
                raise Cancelled('cancelled before it began')
            if self.set_decimal is not None:
                self.set_decimal()
            value = self.handler(event_of(extensions, fields, body), self.context.copy())
            while hasattr(value, '__await__'):
                value = await value
            frame = result_of(call, value, extensions.response)
            if type(frame) is not bytes:
                frame = await self.stream(call, frame, extensions)
            if self.wire.gone:
                end_child()
            return frame
        except BaseException as error:
            if self.wire.gone:
                end_child(error)
            return await self.failure(call, self.as_cancelled(call, error), extensions)

    def as_cancelled(self, call, error):
        return Cancelled('cancelled') if isinstance(error, asyncio.CancelledError) and call in self.cancelled else error

    async def failure(self, call, error, extensions):
        if not is_response(error):
            return error_frame(call, error)
        try:  # a bottle.HTTPResponse that was raised is an answer
            frame = result_of(call, error)
            return frame if type(frame) is bytes else await self.stream(call, frame, extensions)
        except BaseException as second:
            return error_frame(call, second)

    async def stream(self, call, stream, extensions):
        pieces, opened = stream.pieces, False
        if not hasattr(pieces, '__anext__'):
            pieces = from_memory(pieces) if stream.ready else from_thread(pieces, self.loop)
        try:
            async for item in pieces:
                data = piece(item)
                if not opened:
                    self.wire.send(stream.opening(call, item, extensions.response))
                    opened = True
                for part in parts(data):
                    while call in self.paused:
                        await self.paused[call]
                    self.wire.send(chunk(call, part))
                    await asyncio.sleep(0)  # lets the loop read `pause`, also if the generator never waits
            if not opened:
                self.wire.send(stream.opening(call, '', extensions.response))
            return end(call)
        except BaseException as error:
            if not opened:
                raise
            return error_frame(call, self.as_cancelled(call, error))
        finally:
            if hasattr(pieces, 'aclose'):
                await pieces.aclose()


async def from_memory(pieces):
    for item in pieces:
        yield item


async def from_thread(pieces, loop):
    """Iterates on other threads: a plain iterator may block."""
    in_context = copy_context().run
    step = None
    try:
        while True:
            step = loop.run_in_executor(None, in_context, next, pieces, DONE)
            item = await asyncio.shield(step)
            if item is DONE:
                return
            yield item
    finally:
        if step is not None and not step.done():  # cancelled meanwhile; an iterator that runs cannot be closed
            await asyncio.wait([step])
            step.exception()
        await loop.run_in_executor(None, in_context, close, pieces)


def start(coroutine, loop):
    """Starts a task.

    Python 3.12 runs it up to its first wait at once, which saves a turn of the loop.
    """
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)  # novermin
    return loop.create_task(coroutine)


def run(loop):
    try:
        loop.run_forever()
    except (SystemExit, KeyboardInterrupt) as error:  # raised by a task that a handler has left running
        print('a task raised %s' % message_of(error), file=sys.stderr)
