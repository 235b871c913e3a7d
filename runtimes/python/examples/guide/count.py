import time


def count(event, context):
    for number in (1, 2, 3):
        yield '%d\n' % number
        time.sleep(0.1)  # seconds
