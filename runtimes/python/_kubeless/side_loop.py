"""An event loop on its own thread, for coroutines and async generators that a plain handler
returned.
"""

import asyncio
from concurrent.futures import CancelledError
from threading import Thread

from .errors import Cancelled
from .tasks import DONE, run


class SideLoop:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        Thread(target=self.serve, name='coroutines', daemon=True).start()

    def serve(self):
        while True:
            run(self.loop)

    def wait(self, awaitable, flow=None):
        """Returns what the awaitable gives.

        The loop's task runs in a copy of the caller's context.
        """
        future = asyncio.run_coroutine_threadsafe(outcome(awaitable), self.loop)
        if flow is not None:
            flow.stop = future.cancel
            if flow.cancelled:
                future.cancel()
        try:
            value, error = future.result()
        except CancelledError:
            if flow is not None and flow.cancelled:
                raise Cancelled('cancelled') from None
            raise
        if error is not None:
            raise error
        return value

    def iterate(self, pieces, flow):
        try:
            while True:
                item = self.wait(following(pieces), flow)
                if item is DONE:
                    return
                yield item
        finally:
            if hasattr(pieces, 'aclose'):
                self.wait(pieces.aclose())


async def outcome(awaitable):
    """Returns a value and an error: a SystemExit raised out of a task would end the loop."""
    try:
        value = await awaitable
        while hasattr(value, '__await__'):
            value = await value
        return value, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


async def following(pieces):
    try:
        return await pieces.__anext__()
    except StopAsyncIteration:
        return DONE
