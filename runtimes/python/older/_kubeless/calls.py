"""Runs calls on threads: one frame in, one frame that ends the call out."""

import sys
import threading

try:
    from queue import Queue
except ImportError:  # Python 2.7
    from Queue import Queue

from . import output
from .errors import Cancelled, error_frame, guard
from .event import Extensions, event_of
from .forks import end_child
from .result import chunk, close, end, is_response, parts, piece, result_of

STOP = object()


class Flow(object):
    """How `pause`, `resume` and `cancel` reach a call."""

    def __init__(self):
        self.paused = self.cancelled = False
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

    def wait(self):
        """Returns when the call is not paused. Raises Cancelled if it is cancelled."""
        while self.paused and not self.cancelled:
            self.gate.acquire()
        if self.cancelled:
            raise Cancelled('cancelled before its answer had ended')


class Calls(object):
    """The open calls. The thread that loaded the function runs calls too: with a concurrency of 1
    it runs all of them.
    """

    def __init__(self, wire, handler, context, concurrency):
        self.wire, self.handler, self.context = wire, handler, context
        self.concurrency = concurrency
        self.open = {}  # call id -> Flow
        self.queue = Queue()
        self.lock = threading.Lock()
        self.spare = 0  # threads that wait, less the calls that wait
        self.threads = []
        self.set_decimal = decimal_setter()

    def serve(self):
        """Returns when `stop` has arrived and all calls have ended."""
        self.start(self.read)
        guard(self.run)
        for thread in self.threads:
            thread.join()

    def start(self, target):
        thread = threading.Thread(target=guard, args=(target,))
        thread.daemon = True
        thread.start()
        return thread

    def read(self):
        for fields, head, body in self.wire.frames():
            kind, flow = fields['type'], self.open.get(fields.get('id'))
            if kind == 'call':
                self.open[fields['id']] = Flow()
                self.add((fields, head, body))
            elif kind == 'stop':
                return self.queue.put(STOP)
            elif flow is not None and kind in ('pause', 'resume', 'cancel'):
                getattr(flow, kind)()

    def add(self, frame):
        with self.lock:
            self.spare -= 1
            more = self.spare < 0 and len(self.threads) + 1 < self.concurrency
        if more:
            self.threads.append(self.start(self.run))
        self.queue.put(frame)

    def run(self):
        while True:
            with self.lock:
                self.spare += 1
            frame = self.queue.get()
            if frame is STOP:
                return self.queue.put(STOP)  # for the other threads
            call = frame[0]['id']
            ending = self.answer(call, self.open[call], *frame)
            output.finish_lines(call)
            del self.open[call]
            self.wire.send(ending)
            del frame, ending  # large ones must not stay until the next call

    def answer(self, call, flow, fields, head, body):
        """Returns the frame that ends the call. Does not raise."""
        data = body
        if 'envelope' in fields:  # PROTOCOL 4.11
            size = fields.get('data', 0)
            data, body = body[:size], body[size:]
        extensions = Extensions(fields, head, body)
        output.here.call = call
        try:
            flow.wait()
            if self.set_decimal is not None:
                self.set_decimal()
            bottle = sys.modules.get('bottle')
            if hasattr(bottle, 'LocalRequest'):
                bottle.request.bind(extensions.environ())
                bottle.response.bind()
            value = self.handler(event_of(extensions, fields, data), self.context.copy())
            ending = self.ending(call, flow, value)
            if self.wire.gone:
                end_child()
        except:
            if self.wire.gone:
                end_child(sys.exc_info()[1])
            ending = self.failure(call, flow)
        output.here.call = 0
        return ending

    def ending(self, call, flow, value):
        bottle = sys.modules.get('bottle')
        frame = result_of(call, value, bottle.response if hasattr(bottle, 'LocalRequest') else None)
        return self.stream(call, flow, frame) if not isinstance(frame, bytes) else frame

    def failure(self, call, flow):
        error = sys.exc_info()[1]
        if not is_response(error):
            return error_frame(call)
        try:  # a bottle.HTTPResponse that was raised is an answer
            return self.ending(call, flow, error)
        except:
            return error_frame(call)

    def stream(self, call, flow, stream):
        opened = False
        try:
            for item in stream.pieces:
                data = piece(item)
                if not opened:
                    self.wire.send(stream.opening(call))
                    opened = True
                for part in parts(data):
                    flow.wait()
                    self.wire.send(chunk(call, part))
            if not opened:
                self.wire.send(stream.opening(call))
            return end(call)
        except:
            if not opened:
                raise
            return error_frame(call)
        finally:
            close(stream.pieces)


def decimal_setter():
    """Returns a function that sets a copy of the decimal context that the loaded file has set, so
    that a call does not find the settings of the previous one. Returns None without decimal.
    """
    decimal = sys.modules.get('decimal')
    if not hasattr(decimal, 'setcontext'):  # a helper of this name has no such function
        return None
    loaded = decimal.getcontext().copy()
    return lambda: decimal.setcontext(loaded.copy())
