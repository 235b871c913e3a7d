"""Makes bottle.request and bottle.response those of the current call, on threads and in coroutines.

bottle keeps them per thread. Here the attributes that hold their state find the call's own objects.
"""

from .contexts import current

REQUEST_STATE = ('environ',)
RESPONSE_STATE = ('_status_line', '_status_code', '_cookies', '_headers', 'body')


def bind_globals(bottle):
    """Changes the classes of bottle.request and bottle.response: functions import the objects
    themselves by name.
    """
    if not hasattr(bottle, 'LocalRequest'):  # a file of the function's with this name
        return
    for name in REQUEST_STATE:
        setattr(bottle.LocalRequest, name, state_of(request, name))
    for name in RESPONSE_STATE:
        setattr(bottle.LocalResponse, name, state_of(response_in(bottle), name))


def state_of(find, name):
    return property(
        lambda _: getattr(find(), name),
        lambda _, value: setattr(find(), name, value),
        lambda _: delattr(find(), name),
    )


def request():
    return call_state()['request']


def response_in(bottle):
    def response():
        extensions = call_state()
        if extensions.response is None:
            extensions.response = bottle.BaseResponse()
        return extensions.response

    return response


def call_state():
    extensions = current.get()
    if not extensions.call:
        raise RuntimeError('bottle.request and bottle.response exist only while a call runs, on its thread')
    return extensions
