"""Makes the event of a `call` frame. In Python 2.7 its texts are `str`, as in Kubeless's image:
bytes in UTF-8; only what is parsed from JSON is `unicode`.
"""

import json

from .errors import PYTHON_2, CallError
from .request import environ_of, request_of

UTF8_BOM = b'\xef\xbb\xbf'


class BodyMalformed(CallError):
    code = 'BODY_MALFORMED'


class Extensions(dict):
    """event['extensions'] makes `request` when it is first read."""

    def __init__(self, fields, head, body):
        more = fields.get('extensions') or {}
        super(Extensions, self).__init__((native(name), native(value)) for name, value in more.items())
        self.pop('request', None)
        self.source = fields, head, body
        self.made = None

    def environ(self):
        """Returns the WSGI environ of the call."""
        if self.made is None:
            self.made = environ_of(*self.source)
        return self.made

    def __missing__(self, key):
        if key != 'request':
            raise KeyError(key)
        self[key] = made = request_of(self.environ())
        return made

    def __contains__(self, key):
        return key == 'request' or dict.__contains__(self, key)

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


def event_of(extensions, fields, body):
    """Returns the event. Raises BodyMalformed if the body has to be JSON and is not."""
    event = {'data': parse(body) if fields.get('json') else body, 'extensions': extensions}
    for name in 'event-id', 'event-type', 'event-time', 'event-namespace':
        event[name] = native(fields.get(name))
    return event


def native(text):
    """Returns `str` for text."""
    return text.encode('utf-8') if PYTHON_2 and text is not None else text


def refuse_constant(name):
    raise ValueError('%s is not JSON' % name)


decode = json.JSONDecoder(parse_constant=refuse_constant).decode


def parse(body):
    if not body:
        return None  # a CronJobTrigger sends Content-Type: application/json without a body
    try:
        return decode((body[3:] if body.startswith(UTF8_BOM) else body).decode('utf-8'))
    except (ValueError, RuntimeError) as error:  # RuntimeError: nested too deeply
        raise BodyMalformed('the body is not JSON: %s' % error)
