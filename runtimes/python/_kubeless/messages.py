"""Types of the wire's messages (PROTOCOL.md) and of what handlers get.

For type checkers: not imported at run time.
"""

from typing import Any, Callable, Dict, List, Tuple, TypedDict, Union

from .result import Stream

Call = TypedDict(
    'Call',
    {
        'type': str,
        'id': int,
        'method': str,
        'path': str,
        'query': str,
        'address': str,
        'deadline': int,
        'event-id': str,
        'event-type': str,
        'event-time': str,
        'event-namespace': str,
        'extensions': Dict[str, str],
        'json': bool,
        'head': int,
        'body': int,
        'data': int,
        'envelope': int,
    },
    total=False,
)
Frame = Tuple[Call, bytes, bytes]
"""The fields of the line, the head and the body."""
Frames = List[Frame]
Event = Dict[str, Any]
Context = Dict[str, Any]
Handler = Callable[[Event, Context], Any]
Answer = Union[bytes, Stream, Any]
"""A frame, a Stream, or an awaitable."""
