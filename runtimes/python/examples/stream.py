import time


def stream(event, context):
    """Each piece is sent as it is made; while the caller reads slower, the loop waits at its yield."""
    for count in range(10):
        yield '%d\n' % count
        time.sleep(0.1)
