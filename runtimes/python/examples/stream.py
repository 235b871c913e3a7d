import time


def stream(event, context):
    """Each piece is sent at once. If the caller reads slowly, the generator waits at its yield."""
    for count in range(10):
        yield '%d\n' % count
        time.sleep(0.1)
