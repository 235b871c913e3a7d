"""A file that cannot be loaded: line 17, the same in every language, is a syntax error.

The worker's message must name this file and that line.
"""


def echoes(event, context):
    return event['data']


def raises(event, context):
    raise ValueError(event['data'])


def types(event, context):
    return {}
this line is not Python
