import asyncio


async def aio(event, context):
    """A hundred of these calls run at once, on one thread."""
    await asyncio.sleep(0.1)
    return {'waited': 0.1}
