"""Runs calls of a plain handler: one frame in, one frame that ends the call out."""

import threading
from _thread import allocate_lock

from .contexts import copy_context, current, decimal_setter
from .errors import Cancelled, error_frame
from .event import event_of, extensions_of
from .forks import end_child
from .paths import import_own
from .result import chunk, close, end, is_response, parts, piece, result_of
from .wire import Wire

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Call, Context, Handler


class Flow:
    """How `pause`, `resume` and `cancel` reach a call."""

    def __init__(self):
        self.paused = False
        self.cancelled = False
        self.stop = None  # cancels the coroutine that the call waits for
        self.gate = threading.Lock()  # released when the call may go on
        self.gate.acquire()

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False
        if self.gate.locked():
            self.gate.release()

    def cancel(self):
        self.cancelled = True
        self.resume()
        if self.stop is not None:
            self.stop()

    def wait(self):
        """Returns when the call is not paused. Raises Cancelled if it is cancelled."""
        while self.paused and not self.cancelled:
            self.gate.acquire()
        if self.cancelled:
            raise Cancelled('cancelled while it streamed')


class Calls:
    def __init__(self, wire: Wire, handler: 'Handler', context: 'Context'):
        self.wire, self.handler, self.context = wire, handler, context
        self.flows: 'dict[int, Flow]' = {}  # call id -> Flow, for calls that stream, wait, or were paused or cancelled
        self.loaded = copy_context()  # the execution context after loading; each call runs in a copy
        self.set_decimal = decimal_setter()
        self.lock = allocate_lock()
        self.side_loop = None

    def control(self, fields: 'Call', call: int) -> None:
        """Applies `pause`, `resume` or `cancel` to an open call."""
        if fields['type'] in ('pause', 'resume', 'cancel'):
            getattr(self.flows.setdefault(call, Flow()), fields['type'])()

    def answer(self, call: int, fields: 'Call', head: bytes, body: bytes) -> bytes:
        """Returns the frame that ends the call. Does not raise. Runs in the call's own context."""
        data = body
        if 'envelope' in fields:  # PROTOCOL 4.11
            size = fields.get('data', 0)
            data, body = body[:size], body[size:]
        extensions = extensions_of(call, fields, head, body)
        current.set(extensions)
        try:
            if self.flows and call in self.flows and self.flows[call].cancelled:
                raise Cancelled('cancelled before it began')
            if self.set_decimal is not None:
                self.set_decimal()
            value = self.handler(event_of(extensions, fields, data), self.context.copy())
            frame = result_of(call, value, extensions.response)
            if type(frame) is not bytes:
                frame = self.finish(call, frame, extensions)
            if self.wire.gone:
                end_child()
        except BaseException as error:
            if self.wire.gone:
                end_child(error)
            frame = self.failure(call, error, extensions)
        extensions.call = 0
        return frame

    def failure(self, call, error, extensions):
        if not is_response(error):
            return error_frame(call, error)
        try:  # a bottle.HTTPResponse that was raised is an answer
            frame = result_of(call, error)
            return frame if type(frame) is bytes else self.finish(call, frame, extensions)
        except BaseException as second:
            return error_frame(call, second)

    def finish(self, call, result, extensions):
        """Awaits or streams what the handler returned, and returns the frame that ends the call."""
        flow = self.flows.setdefault(call, Flow())
        if hasattr(result, '__await__'):
            value = self.coroutines().wait(result, flow)
            result = result_of(call, value, extensions.response)
        return result if type(result) is bytes else self.stream(call, result, flow, extensions)

    def stream(self, call, stream, flow, extensions):
        pieces, opened = stream.pieces, False
        if hasattr(pieces, '__anext__'):
            pieces = self.coroutines().iterate(pieces, flow)
        try:
            for item in pieces:
                data = piece(item)
                if not opened:
                    self.wire.send(stream.opening(call, item, extensions.response))
                    opened = True
                for part in parts(data):
                    flow.wait()
                    self.wire.send(chunk(call, part))
            if not opened:
                self.wire.send(stream.opening(call, '', extensions.response))
            return end(call)
        except BaseException as error:
            if not opened:
                raise
            return error_frame(call, error)
        finally:
            close(pieces)

    def coroutines(self):
        """Returns the loop for coroutines and async generators that a plain handler returned."""
        with self.lock:
            if self.side_loop is None:
                self.side_loop = import_own('_kubeless.side_loop').SideLoop()
            return self.side_loop
