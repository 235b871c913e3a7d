"""A file that cannot be loaded: its line 17, which is the same in every language, is not Python.

What a worker says about it must name this file and that line.
"""


def echoes(event, context):
    return event['data']


def raises(event, context):
    raise ValueError(event['data'])


def types(event, context):
    return {}
this line is not Python
