"""A call of a plain handler, from its frame to the frame that ends it."""

from threading import Event, Lock

from .errors import Cancelled, error_frame
from .forks import end_child
from .request import event_of
from .results import answer, chunk, close, end, is_response, parts, piece, respond


class Flow:
    """A call that takes its time, as `pause`, `resume` and `cancel` reach it."""

    def __init__(self):
        self.open = Event()
        self.open.set()
        self.pause, self.resume = self.open.clear, self.open.set
        self.cancelled = False
        self.stop = None  # ends the coroutine that is waited for

    def cancel(self):
        self.cancelled = True
        self.open.set()
        if self.stop is not None:
            self.stop()


class Calls:
    def __init__(self, wire, handler, context):
        self.wire, self.handler, self.context = wire, handler, context
        self.flows = {}  # of calls that take their time, or that the loader has said something about
        self.lock = Lock()
        self.side_loop = None

    def answer(self, call, fields, head, body):
        """Nothing a handler raises gets past here."""
        try:
            if self.flows and call in self.flows and self.flows[call].cancelled:
                raise Cancelled('cancelled before it began')
            value = self.handler(event_of(fields, head, body), self.context.copy())
            frame = answer(call, value)
            if type(frame) is not bytes:
                frame = self.take_time(call, frame)
            if self.wire.gone:
                end_child()
            return frame
        except BaseException as error:
            if self.wire.gone:
                end_child(error)
            return self.failure(call, error)

    def failure(self, call, error):
        if not is_response(error):  # raise bottle.HTTPResponse(…) is an answer
            return error_frame(call, error)
        try:
            frame = respond(call, error)
            return frame if type(frame) is bytes else self.take_time(call, frame)
        except BaseException as second:
            return error_frame(call, second)

    def take_time(self, call, result):
        flow = self.flows.setdefault(call, Flow())
        if hasattr(result, '__await__'):
            result = answer(call, self.coroutines().wait(call, result, flow))
        return result if type(result) is bytes else self.stream(call, result, flow)

    def stream(self, call, stream, flow):
        pieces, opened = stream.pieces, False
        if hasattr(pieces, '__anext__'):
            pieces = self.coroutines().iterate(call, pieces, flow)
        try:
            for item in pieces:
                data = piece(item)
                if not opened:
                    self.wire.send(stream.opening(call, item))
                    opened = True
                for part in parts(data):
                    flow.open.wait()
                    if flow.cancelled:
                        raise Cancelled('cancelled while it streamed')
                    self.wire.send(chunk(call, part))
            if not opened:
                self.wire.send(stream.opening(call, ''))
            return end(call)
        except BaseException as error:
            if not opened:
                raise
            return error_frame(call, error)
        finally:
            close(pieces)

    def coroutines(self):
        """For plain handlers that return a coroutine, or an async generator, all the same."""
        with self.lock:
            if self.side_loop is None:
                from .side_loop import SideLoop

                self.side_loop = SideLoop()
            return self.side_loop
