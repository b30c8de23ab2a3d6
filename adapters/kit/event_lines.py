"""An event as a line of JSON, in the form that `ringback import events` reads."""

import orjson

from schemas.events import Event


def event_line(event: Event) -> bytes:
    """The line of an event, with its end: type first, then the fields that say something."""
    fields = {"type": event.type} | event.model_dump(exclude_none=True)
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
