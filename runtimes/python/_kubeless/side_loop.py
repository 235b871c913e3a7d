"""A loop on a thread of its own, for plain handlers that return a coroutine or an async generator all the same."""

import asyncio
from concurrent.futures import CancelledError
from threading import Thread

from .coroutines import DONE, run
from .errors import Cancelled
from .output import call_of_task


class SideLoop:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        Thread(target=self.serve, name='coroutines', daemon=True).start()

    def serve(self):
        while True:
            run(self.loop)

    def wait(self, call, awaitable, flow=None):
        future = asyncio.run_coroutine_threadsafe(outcome(call, awaitable), self.loop)
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

    def iterate(self, call, pieces, flow):
        try:
            while True:
                item = self.wait(call, following(pieces), flow)
                if item is DONE:
                    return
                yield item
        finally:
            if hasattr(pieces, 'aclose'):
                self.wait(call, pieces.aclose())


async def outcome(call, awaitable):
    """A SystemExit that got out of a task would end the loop, so errors come as values."""
    mark = [call]
    call_of_task.set(mark)
    try:
        value = await awaitable
        while hasattr(value, '__await__'):
            value = await value
        return value, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error
    finally:
        mark[0] = 0


async def following(pieces):
    try:
        return await pieces.__anext__()
    except StopAsyncIteration:
        return DONE
