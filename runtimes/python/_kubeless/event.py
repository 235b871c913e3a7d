"""Makes the event of a `call` frame, with everything in it that a call may not look at made on
demand.
"""

import json

from .errors import CallError
from .request import request_of

UTF8_BOM = b'\xef\xbb\xbf'

TYPE_CHECKING = False  # a type checker takes it for True; importing typing would slow down every start
if TYPE_CHECKING:
    from .messages import Call, Event, Frame


class BodyMalformed(CallError):
    code = 'BODY_MALFORMED'


class Extensions(dict):
    """event['extensions'] makes `request` when it is first read.

    Also holds what the worker needs to know of the call.
    """

    __slots__ = ('call', 'response', 'source')

    call: int  # the id, 0 once the call has been answered
    source: 'Frame'
    response: 'object | None'  # see bottle_globals.py

    def __missing__(self, key):
        if key != 'request':
            raise KeyError(key)
        self[key] = made = request_of(*self.source)
        return made

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key):
        return key == 'request' or dict.__contains__(self, key)

    def with_request(self):
        self['request']
        return super()

    def __iter__(self):
        return self.with_request().__iter__()

    def __len__(self):
        return dict.__len__(self) + (not dict.__contains__(self, 'request'))

    def keys(self):
        return self.with_request().keys()

    def items(self):
        return self.with_request().items()

    def values(self):
        return self.with_request().values()

    def copy(self):
        return dict(self.with_request().items())

    def __repr__(self):
        try:
            return repr(self.copy())
        except RuntimeError:  # bottle is missing; print(event) must work for debugging
            return dict.__repr__(self)


def extensions_of(call: int, fields: 'Call', head: bytes, body: bytes) -> Extensions:
    """Returns event['extensions'] of a call."""
    extensions = Extensions()
    extensions.call = call
    extensions.source = (fields, head, body)
    extensions.response = None
    if 'extensions' in fields:
        extensions.update(fields['extensions'])
        extensions.pop('request', None)
    return extensions


def event_of(extensions: Extensions, fields: 'Call', body: bytes) -> 'Event':
    """Returns the event. Raises BodyMalformed if the body has to be JSON and is not."""
    get = fields.get
    return {
        'data': parse(body) if get('json') else body,
        'event-id': get('event-id'),
        'event-type': get('event-type'),
        'event-time': get('event-time'),
        'event-namespace': get('event-namespace'),
        'extensions': extensions,
    }


def refuse_constant(name):
    raise ValueError('%s is not JSON' % name)


decode = json.JSONDecoder(parse_constant=refuse_constant).decode


def parse(body: bytes) -> object:
    if not body:
        return None  # a CronJobTrigger sends Content-Type: application/json without a body
    try:
        return decode(str(body[3:] if body.startswith(UTF8_BOM) else body, 'utf-8'))
    except (ValueError, RecursionError) as error:
        raise BodyMalformed('the body is not JSON: %s' % error) from None
