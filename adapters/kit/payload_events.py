"""Building the events of one contact from a payload: fields that all of them share are said once."""

from dataclasses import dataclass
from typing import Any

from adapters.kit.outcomes import build
from schemas.events import Event


@dataclass(frozen=True, slots=True)
class Contact:
    """The contact that a payload is about."""

    contact_id: str
    source: str
    channel: str

    def event(self, type_: str, at: int, name: str, **fields: Any) -> Event:
        """An event; `name` is its id within the contact, what is None is left out. Raises InvalidInput."""
        given = {field: value for field, value in fields.items() if value is not None}
        common = {
            "event_id": f"{self.contact_id}-{name}",
            "contact_id": self.contact_id,
            "source": self.source,
            "channel": self.channel,
            "occurred_at": at,
        }
        return build(type_, common | given)
