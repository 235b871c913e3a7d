"""Runs the calls of a function that has replaced Python's threads by greenlets (gevent, eventlet).

Each call gets a thread, which is a greenlet. All of them run on the thread that loaded the
function, as the sockets of these libraries demand. A call that uses the CPU makes the others wait,
as in an `async def`.
"""

import select
import threading

from .calls import Calls
from .output import finish_lines, partial
from .wire import Wire

DRAIN_S = 0.05  # how often the end of the last call is looked for after `stop`

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Context, Frame, Handler


def is_patched(allocate_lock):
    """Returns whether threading makes other locks than the interpreter's own."""
    return threading._allocate_lock is not allocate_lock  # type: ignore[attr-defined]


class GreenThreads:
    def __init__(self, wire: Wire, handler: 'Handler', context: 'Context'):
        self.wire = wire
        self.calls = Calls(wire, handler, context)
        self.open: 'set[int]' = set()
        self.stopping = False

    def serve(self):
        """Returns when `stop` has come and all calls are answered."""
        while not self.stopping or self.open:
            # select is patched too: other greenlets run while this one waits
            if select.select([self.wire.fd], [], [], DRAIN_S if self.stopping else None)[0]:
                for frame in self.wire.read():
                    self.take(frame)

    def take(self, frame: 'Frame') -> None:
        fields = frame[0]
        if fields['type'] == 'call':
            self.open.add(fields['id'])
            threading.Thread(target=self.run, args=frame, daemon=True).start()
        elif fields['type'] == 'stop':
            self.stopping = True
        elif fields.get('id') in self.open:
            self.calls.control(fields, fields['id'])

    def run(self, fields, head, body):
        call = fields['id']
        frame = self.calls.loaded.copy().run(self.calls.answer, call, fields, head, body)
        if partial:
            finish_lines(call)
        self.calls.flows.pop(call, None)
        self.open.discard(call)
        self.wire.send(frame)
